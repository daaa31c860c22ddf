import Foundation

/// A line cut into fields: ranges of its bytes, reused from line to line.
struct Fields {
    private(set) var ranges: [Range<Int>] = []
    private var line = UnsafeBufferPointer<UInt8>(start: nil, count: 0)

    var count: Int { ranges.count }

    /// Cuts at a separator of one or two bytes.
    mutating func cut(_ line: UnsafeBufferPointer<UInt8>, at separator: [UInt8]) {
        self.line = line
        ranges.removeAll(keepingCapacity: true)
        var start = 0
        var index = 0
        let isQuoting = separator == [UInt8(ascii: ",")]
        while index < line.count {
            if isQuoting, index == start, line[index] == UInt8(ascii: "\"") {
                // A quoted field of CSV ends at a quote that is not doubled.
                var end = index + 1
                while end < line.count {
                    if line[end] == UInt8(ascii: "\"") {
                        guard end + 1 < line.count, line[end + 1] == UInt8(ascii: "\"") else { break }
                        end += 1
                    }
                    end += 1
                }
                ranges.append(min(start + 1, end)..<min(end, line.count))
                index = min(end + 1, line.count)
                if index < line.count { index += 1 }
                start = index
                if index == line.count, line[line.count - 1] != UInt8(ascii: ",") { return }
                continue
            }
            if line[index] == separator[0],
                separator.count == 1 || (index + 1 < line.count && line[index + 1] == separator[1])
            {
                ranges.append(start..<index)
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        ranges.append(start..<line.count)
    }

    /// The bytes of a field; empty beyond the last.
    subscript(index: Int) -> UnsafeBufferPointer<UInt8> {
        guard index < ranges.count else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(rebasing: line[ranges[index]])
    }

    /// A field as text.
    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// A field as a number; nil when it is none.
    func number(_ index: Int) -> Double? { Fields.number(self[index]) }

    /// Bytes as a number.
    static func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        guard !bytes.isEmpty, bytes.count < 64 else { return nil }
        var whole: Int64 = 0
        for byte in bytes {
            guard byte >= 48, byte <= 57, bytes.count <= 18 else {
                return Double(String(decoding: bytes, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
            }
            whole = whole * 10 + Int64(byte - 48)
        }
        return Double(whole)
    }
}
