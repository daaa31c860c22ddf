/// A page in Prometheus' text format 0.0.4 while it is written.
///
/// Written as bytes into one array: a page of 64 shards and 256 workers has some 30,000 lines.
struct Exposition {
    /// What a family's samples mean.
    enum Kind: String { case gauge, counter, histogram }

    /// `shard="3",table="item"`: labels as they stand between the braces.
    struct Labels {
        fileprivate private(set) var bytes: [UInt8]

        /// None.
        init() { bytes = [] }

        /// One.
        init(_ name: String, _ value: String) {
            bytes = []
            append(name, value)
        }

        /// These and one more.
        func with(_ name: String, _ value: String) -> Labels {
            var both = self
            both.append(name, value)
            return both
        }

        private mutating func append(_ name: String, _ value: String) {
            bytes.reserveCapacity(bytes.count + name.utf8.count + value.utf8.count + 4)
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            bytes += name.utf8
            bytes += "=\"".utf8
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): bytes += "\\\\".utf8
                case UInt8(ascii: "\""): bytes += "\\\"".utf8
                case 10: bytes += "\\n".utf8
                // Readers take a zero for the end of the page.
                case 0: bytes += "\u{FFFD}".utf8
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }

    /// Something with its labels, and what is told of it.
    struct Subject<Value> {
        let labels: Labels
        let value: Value
    }

    /// A family of plain numbers: name, help, and the number of a subject (nil: no sample).
    typealias Number<Value, Result> = (name: String, help: String, of: (Value) -> Result?)

    /// Bounds of the buckets of times: 2^18 ns (0.26 ms) to 2^34 ns (17 s).
    static let octaves = 18...34
    private static let times = octaves.map { octave in
        (octave: octave, label: Array("le=\"\(Double(1 << octave) / 1e9)\"} ".utf8))
    }
    private static let infinity = Array("le=\"+Inf\"} ".utf8)

    private(set) var bytes: [UInt8] = []
    private var name: [UInt8] = []
    private var head = ""

    /// An empty page.
    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Begins a family; its help and type are written before its first sample, or never.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.name = Array(name.utf8)
        head = "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    /// Families of gauges, a sample for every subject.
    mutating func gauges<Value>(_ subjects: [Subject<Value>], _ families: [Number<Value, Double>]) {
        for family in families {
            begin(family.name, .gauge, family.help)
            for subject in subjects {
                if let value = family.of(subject.value) { add(subject.labels, value) }
            }
        }
    }

    /// Families of counters, a sample for every subject.
    mutating func counters<Value>(_ subjects: [Subject<Value>], _ families: [Number<Value, Int>]) {
        for family in families {
            begin(family.name, .counter, family.help)
            for subject in subjects {
                if let value = family.of(subject.value) { add(subject.labels, value) }
            }
        }
    }

    /// Families of times, a histogram for every subject.
    mutating func histograms<Value>(_ subjects: [Subject<Value>], _ families: [Number<Value, LatencyHistogram>]) {
        for family in families {
            begin(family.name, .histogram, family.help)
            for subject in subjects {
                if let histogram = family.of(subject.value) { add(subject.labels, histogram) }
            }
        }
    }

    /// A sample of the family that was begun; none where the number is not finite.
    mutating func add(_ labels: Labels, _ value: Double) {
        guard value.isFinite else { return }
        open(labels)
        append(value)
    }

    /// A sample of the family that was begun.
    mutating func add(_ labels: Labels, _ value: Int) {
        open(labels)
        append(value)
    }

    /// A histogram of times of the family that was begun.
    ///
    /// A bucket counts times below its bound in whole nanoseconds: exact, but for times of exactly 2^k ns.
    mutating func add(_ labels: Labels, _ histogram: LatencyHistogram) {
        for bound in Self.times {
            bucket(labels, bound.label, histogram.count(belowOctave: bound.octave))
        }
        bucket(labels, Self.infinity, histogram.count)
        open(labels, "_sum")
        append(histogram.sum)
        open(labels, "_count")
        append(histogram.count)
    }

    /// A histogram of whole numbers of the family that was begun: `counts[n]` of them are n.
    mutating func add(_ labels: Labels, counts: [Int], bounds: [Int]) {
        for bound in bounds {
            bucket(labels, Array("le=\"\(bound)\"} ".utf8), counts.prefix(bound + 1).total)
        }
        let count = counts.total
        bucket(labels, Self.infinity, count)
        open(labels, "_sum")
        append(counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) })
        open(labels, "_count")
        append(count)
    }

    private mutating func bucket(_ labels: Labels, _ bound: [UInt8], _ count: Int) {
        writeHead()
        bytes += name
        bytes += "_bucket{".utf8
        if !labels.bytes.isEmpty {
            bytes += labels.bytes
            bytes.append(UInt8(ascii: ","))
        }
        bytes += bound
        append(count)
    }

    /// All of a line before its number.
    private mutating func open(_ labels: Labels, _ suffix: String = "") {
        writeHead()
        bytes += name
        if !suffix.isEmpty { bytes += suffix.utf8 }
        if !labels.bytes.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.bytes
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func writeHead() {
        guard !head.isEmpty else { return }
        bytes += head.utf8
        head = ""
    }

    private mutating func append(_ value: Double) {
        if let whole = Int(exactly: value), whole.magnitude < 1 << 53 { return append(whole) }
        bytes += value.description.utf8
        bytes.append(10)
    }

    private mutating func append(_ value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let first = bytes.count
        var rest = value.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[first...].reverse()
        bytes.append(10)
    }
}
