/// A comma-separated file whose columns are found by the names of its header, or by their usual order without one.
///
/// There is a header when the first field of the first line is no number.
final class ColumnFile {
    private let path: String
    private let order: [String]
    private let wanted: [String]
    private var fields = Fields()
    private var columns: [Int] = []
    private var least = 0

    /// - Parameters:
    ///   - order: the names of the columns in their usual order.
    ///   - wanted: the names of those that are read.
    init(_ path: String, order: [String], wanted: [String]) {
        self.path = path
        self.order = order
        self.wanted = wanted
    }

    /// The bytes of a wanted column in the line at hand.
    subscript(column: Int) -> UnsafeBufferPointer<UInt8> { fields[columns[column]] }

    /// A column as an id: the hash of its text; an empty one and NULL are unknown.
    func id(_ column: Int) -> UInt64 {
        let bytes = self[column]
        return ColumnFile.isMissing(bytes) ? Events.unknownId : Events.id(bytes)
    }

    /// A column as an id; nil when it is empty or NULL.
    func key(_ column: Int) -> UInt64? {
        let bytes = self[column]
        return ColumnFile.isMissing(bytes) ? nil : Events.id(bytes)
    }

    /// A column as whole seconds.
    func time(_ column: Int) -> Int32? { Fields.number(self[column]).flatMap { Int32(exactly: $0) } }

    /// A column as text.
    func text(_ column: Int) -> String { String(decoding: self[column], as: UTF8.self) }

    /// Whether a field says that nothing is known.
    static func isMissing(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.isEmpty || (bytes.count == 4 && bytes.elementsEqual("NULL".utf8))
    }

    /// Calls `row` for every line; what it returns is why the line cannot be used.
    func read(_ quarantine: Quarantine, progress: (Double) -> Void, _ row: () -> String?) throws {
        let separator = [UInt8(ascii: ",")]
        columns = try find(in: order)
        func header(_ line: UnsafeBufferPointer<UInt8>) throws -> Bool {
            fields.cut(line, at: separator)
            guard !line.isEmpty, fields.number(0) == nil else { return false }
            columns = try find(in: (0..<fields.count).map { ColumnFile.name(fields.text($0)) })
            return true
        }
        try quarantine.read(path, progress: progress, header: header) { line, _ in
            fields.cut(line, at: separator)
            return fields.count < least ? "\(fields.count) fields, expected at least \(least)" : row()
        }
    }

    /// A header's name without what surrounds it: blanks, and the mark that some files begin with.
    private static func name(_ text: String) -> String {
        String(text.drop { $0 == "\u{feff}" || $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    private func find(in names: [String]) throws -> [Int] {
        let columns = try wanted.map { name in
            guard let index = names.firstIndex(of: name) else {
                throw PrepareError.file(
                    path: path, "has no column '\(name)'; its header names \(names.joined(separator: ", "))")
            }
            return index
        }
        least = (columns.max() ?? 0) + 1
        return columns
    }
}
