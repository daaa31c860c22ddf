import Foundation
import Synchronization

/// Who looks again and again, and who has seen how it ended: open pages, and whoever scrapes `/metrics`.
///
/// An open page names itself with every question, by a number of its own; what asks without one counts as one reader.
final class Readers: Sendable {
    /// Who asks.
    enum Kind: Sendable, Hashable {
        /// A page, by its number.
        case page(String)
        /// Something that scrapes, by its address; Prometheus says that it is one.
        case scraper(String, isPrometheus: Bool)

        /// Whether it is one of those that scrape.
        var scrapes: Bool { if case .scraper = self { true } else { false } }
    }

    private struct Look {
        var asked: ContinuousClock.Instant
        /// From the question before.
        var interval: Duration?
        var hasSeenEnd = false

        /// How long after its last question another one is expected; nil of somebody who asked once, by hand.
        func patience(as kind: Kind) -> Duration? {
            switch kind {
            case .page: min(.seconds(10), (interval ?? .seconds(1)) * 2 + .seconds(1))
            case .scraper(_, let isPrometheus):
                interval.map { min(Readers.longest, $0 * 2 + .seconds(1)) } ?? (isPrometheus ? .seconds(60) : nil)
            }
        }
    }

    private struct Contents {
        var looks: [Kind: Look] = [:]
        var isEnding = false
    }

    /// After so long without a question nobody is expected any more.
    static let longest = Duration.seconds(120)
    /// Readers that are remembered; connections are no more than that either.
    private static let most = 64
    private let contents = Mutex(Contents())

    /// Somebody has asked.
    func note(_ reader: Kind, at now: ContinuousClock.Instant = .now) {
        contents.withLock { contents in
            var look = contents.looks[reader] ?? Look(asked: now)
            if look.asked < now { look.interval = look.asked.duration(to: now) }
            look.asked = now
            look.hasSeenEnd = contents.isEnding
            if contents.looks[reader] == nil, contents.looks.count >= Self.most {
                contents.looks = contents.looks.filter { $0.value.asked.duration(to: now) < Self.longest }
                guard contents.looks.count < Self.most else { return }
            }
            contents.looks[reader] = look
        }
    }

    /// From now on everything is as it stays.
    func end() { contents.withLock { $0.isEnding = true } }

    /// For how long at most somebody is expected to ask once more, at the pace that it had; nil when nobody is.
    func areExpected(scraping: Bool, at now: ContinuousClock.Instant = .now) -> Duration? {
        contents.withLock { contents in
            contents.looks.filter { $0.key.scrapes == scraping && !$0.value.hasSeenEnd }
                .compactMap { kind, look in look.patience(as: kind).map { $0 - look.asked.duration(to: now) } }
                .filter { $0 > .zero }.max()
        }
    }
}
