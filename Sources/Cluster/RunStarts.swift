import Foundation
import Tensors

/// How often a run has been started, kept as a number in its directory.
///
/// A file of its own rather than the record's `started` lines: those are written when all nodes have come, and processes
/// of a start that never got so far were started too.
enum RunStarts {
    /// Where the number stands.
    static let file = "starts"

    /// Counts one more start and returns its number, from 1.
    static func count(in directory: String) throws -> Int {
        let number = min(before(in: directory), Int(UInt32.max) - 1) + 1
        // Replaced whole: a crash leaves the old number or the new one.
        try Files.replace("\(directory)/\(file)", with: Data("\(number)\n".utf8))
        return number
    }

    /// Starts before this one; of a run whose number is not there or cannot be read, those that its record knows.
    private static func before(in directory: String) -> Int {
        if let text = try? Files.text(of: "\(directory)/\(file)"),
            let number = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), number >= 0
        {
            return number
        }
        guard let record = try? Files.read(directory + "/metrics.jsonl", limit: .max) else { return 0 }
        let mark = Data(#""event":"started""#.utf8)
        return record.split(separator: 10).count { $0.range(of: mark) != nil }
    }
}
