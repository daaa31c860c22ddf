import Display
import Foundation
import Telemetry

/// The scheduler's own log, `logs/scheduler.log`: what has happened in words, and how the job gets on.
final class RunJournal {
    /// Seconds between two lines of progress.
    private static let pace = Duration.seconds(5)
    private let run: RunDirectory
    private var progressed: ContinuousClock.Instant?

    /// Goes on with the log of a run.
    init(_ run: RunDirectory) { self.run = run }

    /// A line, with the time of day before it; a log that cannot be written is told of once and ends no job.
    func add(_ line: String, at time: Double = Date().timeIntervalSince1970) {
        run.append(Data("\(Quantity.clock(time)) \(line)".utf8), to: "logs/scheduler.log")
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
