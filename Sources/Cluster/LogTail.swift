import Foundation
import Tensors

/// The end of a process's log.
package enum LogTail {
    /// The last lines, at most eight of them and 32 KiB.
    package static func lines(of path: String) -> [String] {
        guard let handle = Files.handle(path) else { return [] }
        defer { try? handle.close() }
        guard let end = try? handle.seekToEnd() else { return [] }
        try? handle.seek(toOffset: end > 32_768 ? end - 32_768 : 0)
        guard let data = try? handle.readToEnd() else { return [] }
        // ssh ends its own lines in two characters, which count as one.
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(8).map {
            String($0.prefix(400))
        }
    }

    /// What the process said of its own end: its last line that begins with "error: ".
    package static func ownWords(in lines: [String]) -> String? {
        lines.last { $0.hasPrefix("error: ") }.map { String($0.dropFirst("error: ".count)) }
    }
}
