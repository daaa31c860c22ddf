/// Random numbers that are a function of a seed alone: SplitMix64 (Steele 2014).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Whether something happens that happens once in so many times.
    mutating func oneIn(_ count: Int) -> Bool { next() % UInt64(count) == 0 }

    /// A number of a range, each as likely.
    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// A duration between two, short ones as likely as long ones: uniform in its logarithm.
    mutating func milliseconds(_ range: ClosedRange<Double>) -> Duration {
        let share = Double(next() >> 11) / Double(1 << 53)
        return .microseconds(Int64(range.lowerBound * 1000 * power(range.upperBound / range.lowerBound, share)))
    }

    /// x^y by binary halving of y in [0, 1]: the same bits with every C library.
    private func power(_ x: Double, _ y: Double) -> Double {
        var (root, left, result) = (x, y, 1.0)
        for _ in 0..<24 {
            root = root.squareRoot()
            left *= 2
            if left >= 1 {
                result *= root
                left -= 1
            }
        }
        return result
    }
}
