import Foundation
import Telemetry
import Terminal

/// The scheduler's own log, `logs/scheduler.log`: what has happened in words, and how the job gets on.
final class RunJournal {
    /// Seconds between two lines of progress.
    private static let pace = Duration.seconds(5)
    private let file: FileHandle
    private var progressed: ContinuousClock.Instant?

    /// Goes on with the log of a directory; nil when it cannot be written.
    init?(directory: String) {
        let path = directory + "/scheduler.log"
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: path), (try? file.seekToEnd()) != nil else { return nil }
        self.file = file
    }

    /// A line, with the time of day before it; a log that cannot be written any more ends no job.
    func add(_ line: String, at time: Double = Date().timeIntervalSince1970) {
        try? file.write(contentsOf: Data("\(Quantity.clock(time)) \(line)\n".utf8))
    }

    /// Something that happened.
    func add(_ event: EventStatus) { add("\(event.kind.rawValue): \(event.text)", at: event.time) }

    /// How the job gets on, now and then.
    func add(progress line: String) {
        guard progressed.map({ $0.duration(to: .now) >= Self.pace }) ?? true else { return }
        progressed = .now
        add(line)
    }
}
