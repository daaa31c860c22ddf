import Foundation
import Tensors

/// A line of a node's log.
package struct LogEntry: Sendable, Equatable {
    /// "worker 1".
    package let name: String
    package let role: String
    package let text: String

    /// With its node's name before it, in the color of its role.
    package func line(nameWidth: Int) -> Line {
        let style: Tone =
            switch role {
            case "scheduler": .bold
            case "server": .accent
            case "worker": .good
            default: .dim
            }
        var line = Line(name, style)
        line.pad(to: nameWidth)
        line.add(" | ", .dim)
        line.add(text)
        return line
    }
}

/// Reads the logs of a run's directory as they grow, one line after the other.
package final class LogReader {
    private struct File {
        let path: String
        let name: String
        let role: String
        let rank: Int
        var offset: UInt64 = 0
        /// The beginning of a line whose end is not written yet.
        var open = Data()
    }

    /// Longer lines are cut: a log without line ends must not fill the memory.
    private static let longest = 1 << 20
    /// Bytes that are read at once.
    private static let block = 1 << 18
    private static let roles = ["scheduler", "server", "worker"]
    private let directory: String
    private let role: String?
    private let rank: Int?
    /// Lines of each log that are read of what is there at the first look; nil for all.
    private var tail: Int?
    private var files: [File] = []

    /// - Parameters:
    ///   - directory: `logs` of a run.
    ///   - role: only logs of this role.
    ///   - rank: only logs of this rank.
    ///   - tail: only so many last lines of each log that is there already; the rest is not read.
    package init(directory: String, role: String? = nil, rank: Int? = nil, tail: Int? = nil) {
        self.tail = tail
        self.directory = directory
        self.role = role
        self.rank = rank
    }

    /// Columns of the longest name so far.
    package var nameWidth: Int { files.reduce(0) { max($0, Glyphs.width(of: $1.name)) } }

    /// Whether there is any log.
    package var isEmpty: Bool { files.isEmpty }

    /// Lines that were written since the last call: the scheduler's, then by rank the servers' and workers'.
    ///
    /// - Parameters:
    ///   - last: also lines without an end, because nobody writes any more.
    ///   - isWanted: which lines are kept; a log is never held as a whole.
    package func read(last: Bool = false, where isWanted: (String) -> Bool = { _ in true }) -> [LogEntry] {
        find()
        tail = nil
        return files.indices.flatMap { read($0, last: last, isWanted) }
    }

    private func find() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let known = Set(files.map(\.path))
        for name in names where name.hasSuffix(".log") && !known.contains("\(directory)/\(name)") {
            let stem = name.dropLast(4)
            let dash = stem.lastIndex(of: "-")
            let number = dash.flatMap { Int(stem[stem.index(after: $0)...]) }
            let kind = number == nil ? String(stem) : String(stem[..<(dash ?? stem.endIndex)])
            guard role == nil || role == kind, rank == nil || rank == number else { continue }
            let path = "\(directory)/\(name)"
            files.append(
                File(
                    path: path, name: number.map { "\(kind) \($0)" } ?? kind, role: kind, rank: number ?? -1,
                    offset: tail.map { LogReader.offset(ofLast: $0, in: path) } ?? 0))
        }
        func place(_ file: File) -> Int { LogReader.roles.firstIndex(of: file.role) ?? LogReader.roles.count }
        files.sort { (place($0), $0.role, $0.rank) < (place($1), $1.role, $1.rank) }
    }

    /// Where the last lines of a file begin, found from its end.
    private static func offset(ofLast count: Int, in path: String) -> UInt64 {
        guard let handle = Files.handle(path), let size = try? handle.seekToEnd() else { return 0 }
        defer { try? handle.close() }
        guard count > 0 else { return size }
        // The file's own last line end is the end of a line, not the begin of another one.
        var (end, left) = (size, count == .max ? count : count + 1)
        while end > 0 {
            let start = end > UInt64(block) ? end - UInt64(block) : 0
            guard (try? handle.seek(toOffset: start)) != nil, let part = try? handle.read(upToCount: Int(end - start)),
                !part.isEmpty
            else { return 0 }
            if end == size, part.last != 10 { left -= 1 }
            for place in part.indices.reversed() where part[place] == 10 {
                left -= 1
                if left <= 0 { return start + UInt64(place - part.startIndex) + 1 }
            }
            end = start
        }
        return 0
    }

    private func read(_ index: Int, last: Bool, _ isWanted: (String) -> Bool) -> [LogEntry] {
        var file = files[index]
        defer { files[index] = file }
        guard let handle = Files.handle(file.path) else { return [] }
        defer { try? handle.close() }
        let size = (try? handle.seekToEnd()) ?? 0
        // Written anew.
        if size < file.offset { (file.offset, file.open) = (0, Data()) }
        var entries: [LogEntry] = []
        func take(_ bytes: Data) {
            let text = String(decoding: bytes.prefix(LogReader.longest), as: UTF8.self)
            if isWanted(text) { entries.append(LogEntry(name: file.name, role: file.role, text: text)) }
        }
        _ = try? handle.seek(toOffset: file.offset)
        while size > file.offset, let more = try? handle.read(upToCount: min(LogReader.block, Int(size - file.offset))),
            !more.isEmpty
        {
            file.offset += UInt64(more.count)
            file.open += more
            var start = file.open.startIndex
            while let end = file.open[start...].firstIndex(of: 10) {
                var line = file.open[start..<end]
                if line.last == 13 { line.removeLast() }
                take(line)
                start = end + 1
            }
            file.open = Data(file.open[start...])
            if file.open.count > LogReader.longest {
                take(file.open)
                file.open = Data()
            }
        }
        if !file.open.isEmpty, last {
            take(file.open)
            file.open = Data()
        }
        return entries
    }
}
