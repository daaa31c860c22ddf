/// Times counted in buckets whose width is a sixteenth of the power of two below them.
///
/// Constant memory, no allocation after the first value; a quantile is off by at most 1/32 of itself (half a bucket),
/// the count, the sum and the maximum are exact. The bounds at powers of two nanoseconds are exact too, so that
/// Prometheus' cumulative buckets are.
package struct LatencyHistogram: Sendable, Equatable {
    /// Everything below 2^10 ns (1.024 µs) is one bucket.
    package static let firstOctave = 10
    /// Everything from 2^36 ns (68.7 s) on is one bucket.
    package static let lastOctave = 36
    /// The largest relative error of a quantile between the two.
    package static let quantileError = 1.0 / 32
    private static let bucketCount = 2 + (lastOctave - firstOctave) * 16

    /// Values counted.
    package private(set) var count = 0
    /// Their sum, in seconds.
    package private(set) var sum = 0.0
    /// The largest, in seconds.
    package private(set) var max = 0.0
    /// Empty until the first value.
    private var buckets: [UInt64] = []

    /// Nothing counted.
    package init() {}

    /// Counts a value.
    package mutating func add(seconds: Double) {
        guard seconds.isFinite else { return }
        if buckets.isEmpty { buckets = [UInt64](repeating: 0, count: Self.bucketCount) }
        buckets[Self.bucket(of: seconds)] += 1
        count += 1
        sum += seconds
        max = Swift.max(max, seconds)
    }

    /// Counts a value.
    package mutating func add(_ duration: Duration) { add(seconds: duration / .seconds(1)) }

    /// Adds all values of another histogram.
    package mutating func add(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        if buckets.isEmpty { buckets = [UInt64](repeating: 0, count: Self.bucketCount) }
        for index in other.buckets.indices { buckets[index] &+= other.buckets[index] }
        count = count.plus(other.count)
        sum += other.sum
        max = Swift.max(max, other.max)
    }

    /// The value below which a share `q` of all values lies, in seconds; 0 when nothing was counted.
    package func quantile(_ q: Double) -> Double {
        guard count > 0 else { return 0 }
        let rank = Swift.max(1, Int((q * Double(count)).rounded(.up)))
        var seen = 0
        for (index, value) in buckets.enumerated() {
            seen += Int(value)
            guard seen >= rank else { continue }
            if index == 0 { return Swift.min(max, Double(1 << Self.firstOctave) / 2e9) }
            if index == Self.bucketCount - 1 { return max }
            let (octave, part) = (index - 1).quotientAndRemainder(dividingBy: 16)
            let base = Double(1 << (octave + Self.firstOctave))
            return Swift.min(max, base * (1 + (Double(part) + 0.5) / 16) / 1e9)
        }
        return max
    }

    /// Median, in seconds.
    package var p50: Double { quantile(0.5) }
    /// 99th percentile, in seconds.
    package var p99: Double { quantile(0.99) }

    /// How many values are below 2^`octave` ns, exactly; for octaves from `firstOctave` to `lastOctave`.
    package func count(belowOctave octave: Int) -> Int {
        guard !buckets.isEmpty else { return 0 }
        let end = 1 + (Swift.min(Self.lastOctave, octave) - Self.firstOctave) * 16
        return buckets[..<Swift.max(1, end)].reduce(0) { $0 + Int($1) }
    }

    private static func bucket(of seconds: Double) -> Int {
        let nanoseconds = UInt64(Swift.min(Swift.max(0, seconds * 1e9), 1e18))
        guard nanoseconds >= 1 << firstOctave else { return 0 }
        let octave = 63 - nanoseconds.leadingZeroBitCount
        guard octave < lastOctave else { return bucketCount - 1 }
        let part = Int((nanoseconds >> UInt64(octave - 4)) & 15)
        return 1 + (octave - firstOctave) * 16 + part
    }
}

/// As `{"count", "sum", "max", "p50", "p99", "buckets": [number, count, number, count, …]}`: empty buckets are left out.
extension LatencyHistogram: Codable {
    private enum CodingKeys: String, CodingKey { case count, sum, max, p50, p99, buckets }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        count = try box.decode(Int.self, forKey: .count)
        sum = try box.decode(Double.self, forKey: .sum)
        max = try box.decode(Double.self, forKey: .max)
        let pairs = try box.decode([UInt64].self, forKey: .buckets)
        guard pairs.count.isMultiple(of: 2) else {
            throw DecodingError.dataCorruptedError(forKey: .buckets, in: box, debugDescription: "an odd number")
        }
        guard !pairs.isEmpty else { return }
        buckets = [UInt64](repeating: 0, count: Self.bucketCount)
        for place in stride(from: 0, to: pairs.count, by: 2) {
            guard pairs[place] < UInt64(Self.bucketCount), pairs[place + 1] < 1 << 53 else {
                throw DecodingError.dataCorruptedError(forKey: .buckets, in: box, debugDescription: "no such bucket")
            }
            buckets[Int(pairs[place])] = pairs[place + 1]
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(count, forKey: .count)
        try box.encode(sum, forKey: .sum)
        try box.encode(max, forKey: .max)
        try box.encode(p50, forKey: .p50)
        try box.encode(p99, forKey: .p99)
        var pairs: [UInt64] = []
        for (index, value) in buckets.enumerated() where value > 0 { pairs += [UInt64(index), value] }
        try box.encode(pairs, forKey: .buckets)
    }
}
