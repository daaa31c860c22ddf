import Foundation

/// Lines that could not be read: kept with their reasons, and too many of them end the preparation.
final class Quarantine {
    private let limit: Double
    private(set) var lines = 0
    private(set) var bad = 0
    private var first: (path: String, line: Int, reason: String)?
    private var text = ""

    /// - Parameter limit: share of the lines that may be malformed.
    init(limit: Double) { self.limit = limit }

    /// Reads the lines of a file that are not empty, counts them, and sets aside those that cannot be used.
    ///
    /// - Parameters:
    ///   - header: whether the first line is one, which counts as none.
    ///   - body: returns why a line cannot be used.
    func read(
        _ path: String, progress: (Double) -> Void = { _ in },
        header: (UnsafeBufferPointer<UInt8>) throws -> Bool = { _ in false },
        _ body: (_ line: UnsafeBufferPointer<UInt8>, _ number: Int) throws -> String?
    ) throws {
        try LineReader.read(path: path, progress: progress) { line, number in
            if try number == 1 && header(line) || line.isEmpty { return }
            if let reason = try body(line, number) { add(path, number, reason, line) } else { lines += 1 }
        }
    }

    private func add(_ path: String, _ line: Int, _ reason: String, _ bytes: UnsafeBufferPointer<UInt8>) {
        lines += 1
        bad += 1
        if first == nil { first = (path, line, reason) }
        if bad <= 1000 { text += "\(path):\(line): \(reason): \(String(decoding: bytes.prefix(200), as: UTF8.self))\n" }
    }

    /// Throws when too many lines were malformed.
    func check() throws {
        guard let first, Double(bad) > limit * Double(lines) else { return }
        throw PrepareError.lines(
            path: first.path, line: first.line, reason: first.reason, bad: bad, total: lines)
    }

    /// Writes the lines (at most 1,000) with their reasons, if there are any.
    func write(to path: String) throws {
        guard bad > 0 else { return }
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw PrepareError.file(path: path, "cannot be written: \(error.localizedDescription)")
        }
    }
}
