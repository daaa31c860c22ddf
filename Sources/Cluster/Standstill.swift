import Foundation
import Scheduler
import Synchronization
import Telemetry

/// Notices that this whole process stood still: it was stopped, or its machine slept.
///
/// Nodes that heard nothing of the scheduler meanwhile have left by then, and would be blamed for it.
package final class Standstill: Sendable {
    private struct State {
        var seen = ContinuousClock.now
        /// The last standstill: how long it was, and when it ended.
        var last: (seconds: Int, end: ContinuousClock.Instant)?
    }

    private static let beat = 0.25
    /// What no busy machine keeps a thread waiting for.
    private static let least = Duration.seconds(3)
    /// Signs of failure so soon after one follow from it.
    private static let aftermath = Duration.seconds(5)

    private let state = Mutex(State())

    /// Looks at the clock from a thread of its own, as long as somebody holds this.
    package init() {
        Want.thread("standstill") { [weak self] in
            while self?.look() != nil { Thread.sleep(forTimeInterval: Self.beat) }
        }
    }

    private func look() {
        let seconds: Int? = state.withLock { state in
            let now = ContinuousClock.now
            let gap = state.seen.duration(to: now)
            state.seen = now
            guard gap > Self.least else { return nil }
            state.last = (Int(gap / .seconds(1)), now)
            return state.last?.seconds
        }
        if let seconds { StandardError.line("warning: \(Self.words(seconds))") }
    }

    private static func words(_ seconds: Int) -> String {
        "the scheduler itself stood still for \(seconds) s: its process was stopped (Ctrl-Z, SIGSTOP), or its machine slept"
    }

    /// What has to be said before others are blamed; nil when there was no standstill just now.
    func evidence() -> Evidence? {
        look()
        guard let last = state.withLock({ $0.last }), last.end.duration(to: .now) < Self.aftermath else { return nil }
        return Evidence(
            .ownWords, of: nil, what: Self.words(last.seconds), cause: .stopped,
            remedy: "do not suspend a launcher or its machine: nodes give up a scheduler that says nothing; "
                + FailureDiagnosis.continuing)
    }
}
