/// A page in Prometheus' text format 0.0.4 while it is written.
///
/// Written as bytes into one array: a page of 64 shards and 256 workers has some 30,000 lines.
struct Exposition {
    /// `shard="3",table="item"`: labels as they stand between the braces.
    struct Labels {
        fileprivate private(set) var bytes: [UInt8] = []

        /// These and one more.
        func with(_ name: String, _ value: String) -> Labels {
            var both = self
            both.bytes.reserveCapacity(bytes.count + name.utf8.count + value.utf8.count + 4)
            if !bytes.isEmpty { both.bytes.append(UInt8(ascii: ",")) }
            both.bytes += name.utf8
            both.bytes += "=\"".utf8
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): both.bytes += "\\\\".utf8
                case UInt8(ascii: "\""): both.bytes += "\\\"".utf8
                case 10: both.bytes += "\\n".utf8
                // Readers take a zero for the end of the page.
                case 0: both.bytes += "\u{FFFD}".utf8
                default: both.bytes.append(byte)
                }
            }
            both.bytes.append(UInt8(ascii: "\""))
            return both
        }
    }

    /// Something with its labels, and what is told of it.
    typealias Subject<Value> = (labels: Labels, value: Value)

    /// A family: its name (after `myriad_`), what it means, and its samples of a subject.
    struct Family<Value> {
        fileprivate let name: String
        fileprivate let kind: String
        fileprivate let help: String
        fileprivate let write: (Value, Labels, inout Exposition) -> Void

        /// One sample of a subject; none for nil.
        init<Number: Sample>(_ name: String, _ help: String, _ number: @escaping (Value) -> Number?) {
            self.init(name, help, Number.self) { number($0)?.write(to: &$2, $1) }
        }

        /// A sample for every value of one more label.
        init<Number: Sample>(
            _ name: String, _ help: String, by label: String, _ numbers: @escaping (Value) -> [(String, Number)]
        ) {
            self.init(name, help, Number.self) { value, labels, page in
                for (of, number) in numbers(value) { number.write(to: &page, labels.with(label, of)) }
            }
        }

        private init<Number: Sample>(
            _ name: String, _ help: String, _ type: Number.Type,
            _ write: @escaping (Value, Labels, inout Exposition) -> Void
        ) {
            self.name = name
            self.help = help
            self.write = write
            kind = Number.isHistogram ? "histogram" : name.hasSuffix("_total") ? "counter" : "gauge"
        }
    }

    private(set) var bytes: [UInt8] = []
    private var name: [UInt8] = []
    private var head = ""

    /// An empty page.
    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Families with their samples of every subject; help and type stand before the first sample, or nowhere.
    mutating func add<Value>(_ subjects: [Subject<Value>], _ families: [Family<Value>]) {
        for family in families {
            name = Array("myriad_\(family.name)".utf8)
            head = "# HELP myriad_\(family.name) \(family.help)\n# TYPE myriad_\(family.name) \(family.kind)\n"
            for subject in subjects { family.write(subject.value, subject.labels, &self) }
        }
    }

    fileprivate mutating func histogram(
        _ labels: Labels, _ buckets: some Sequence<(label: [UInt8], count: Int)>, sum: Double, count: Int
    ) {
        func bucket(_ bound: [UInt8], _ count: Int) {
            bytes += name
            bytes += "_bucket{".utf8
            if !labels.bytes.isEmpty {
                bytes += labels.bytes
                bytes.append(UInt8(ascii: ","))
            }
            bytes += bound
            append(count)
        }
        writeHead()
        for (label, count) in buckets { bucket(label, count) }
        bucket(Array("le=\"+Inf\"} ".utf8), count)
        open(labels, "_sum")
        append(sum)
        open(labels, "_count")
        append(count)
    }

    /// All of a line before its number.
    fileprivate mutating func open(_ labels: Labels, _ suffix: String = "") {
        writeHead()
        bytes += name
        bytes += suffix.utf8
        if !labels.bytes.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.bytes
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func writeHead() {
        bytes += head.utf8
        head = ""
    }

    fileprivate mutating func append(_ value: Double) {
        if let whole = Int(exactly: value), whole.magnitude < 1 << 53 { return append(whole) }
        bytes += value.description.utf8
        bytes.append(10)
    }

    fileprivate mutating func append(_ value: Int) {
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

/// What a family can tell of a subject.
protocol Sample {
    static var isHistogram: Bool { get }
    /// Writes its lines into the family that was begun.
    func write(to page: inout Exposition, _ labels: Exposition.Labels)
}

extension Sample {
    static var isHistogram: Bool { false }
}

extension Int: Sample {
    func write(to page: inout Exposition, _ labels: Exposition.Labels) {
        page.open(labels)
        page.append(self)
    }
}

/// None where the number is not finite.
extension Double: Sample {
    func write(to page: inout Exposition, _ labels: Exposition.Labels) {
        guard isFinite else { return }
        page.open(labels)
        page.append(self)
    }
}

/// A bucket counts times below its bound in whole nanoseconds: exact, but for times of exactly 2^k ns.
extension LatencyHistogram: Sample {
    static let isHistogram = true
    /// Bounds of the buckets of times: 2^18 ns (0.26 ms) to 2^34 ns (17 s).
    private static let bounds = (18...34).map { (octave: $0, label: Array("le=\"\(Double(1 << $0) / 1e9)\"} ".utf8)) }

    func write(to page: inout Exposition, _ labels: Exposition.Labels) {
        let buckets = Self.bounds.lazy.map { (label: $0.label, count: count(belowOctave: $0.octave)) }
        page.histogram(labels, buckets, sum: sum, count: count)
    }
}

/// How often each whole number of steps was counted, from 0 on.
struct StepCounts: Sample {
    static let isHistogram = true
    let counts: [Int]

    func write(to page: inout Exposition, _ labels: Exposition.Labels) {
        let buckets = [0, 1, 2, 4, 8, 16, 32].map {
            (label: Array("le=\"\($0)\"} ".utf8), count: counts.prefix($0 + 1).total)
        }
        let sum = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) }
        page.histogram(labels, buckets, sum: sum, count: counts.total)
    }
}
