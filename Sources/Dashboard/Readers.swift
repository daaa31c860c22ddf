import Foundation
import Synchronization

/// Who has the page open, and who has seen how it ended.
///
/// An open page names itself with every question, by a number of its own; what asks without one counts as one reader.
final class Readers: Sendable {
    private struct Look {
        var asked: ContinuousClock.Instant
        /// From the question before.
        var interval = Duration.seconds(1)
        var hasSeenEnd = false
    }

    private struct Contents {
        var looks: [String: Look] = [:]
        var isEnding = false
    }

    /// Readers that are remembered; connections are no more than that either.
    private static let most = 64
    private let contents = Mutex(Contents())

    /// The page was asked for.
    func note(_ reader: String, at now: ContinuousClock.Instant = .now) {
        contents.withLock { contents in
            var look = contents.looks[reader] ?? Look(asked: now)
            if look.asked < now { look.interval = look.asked.duration(to: now) }
            look.asked = now
            look.hasSeenEnd = contents.isEnding
            if contents.looks[reader] == nil, contents.looks.count >= Self.most {
                contents.looks = contents.looks.filter { $0.value.asked.duration(to: now) < .seconds(60) }
                guard contents.looks.count < Self.most else { return }
            }
            contents.looks[reader] = look
        }
    }

    /// From now on everything is as it stays.
    func end() { contents.withLock { $0.isEnding = true } }

    /// Whether somebody is expected to ask once more: a page asks at its own pace, a hidden one or a busy machine's slowly.
    func areExpected(at now: ContinuousClock.Instant = .now) -> Bool {
        contents.withLock { contents in
            contents.looks.values.contains { look in
                !look.hasSeenEnd && look.asked.duration(to: now) < min(.seconds(10), look.interval * 2 + .seconds(1))
            }
        }
    }
}
