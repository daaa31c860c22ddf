import Foundation
import Synchronization
import Transport
import Wire

/// Answers those who look at a job, on a thread of its own: a status is encoded once for all of them, and who asks faster
/// than it is answered gets one answer.
final class Onlookers: Sendable {
    /// Between two rounds of answers.
    private static let pause = 0.05
    /// Curves encoded in one round; others wait for the next.
    private static let mostCurves = 8
    /// Connections that can wait at once.
    private static let mostWaiting = 1024

    /// Who asks, and what.
    private final class Questions: Sendable {
        let waiting = Mutex<[[UInt8]: Inspect]>([:])
        let calls = Inbox<Bool>()

        func add(_ wish: Inspect, _ connection: [UInt8]) {
            let isNew = waiting.withLock { waiting in
                guard waiting[connection] != nil || waiting.count < Onlookers.mostWaiting else { return false }
                return waiting.updateValue(wish, forKey: connection) == nil
            }
            if isNew { calls.post(true) }
        }

        func takeAll() -> [[UInt8]: Inspect] {
            waiting.withLock { waiting in
                defer { waiting = [:] }
                return waiting
            }
        }
    }

    /// Wakes whoever sends.
    let answers = Inbox<(connection: [UInt8], message: Message)>()
    private let questions: Questions
    private let thread: RoleThread

    /// Starts the thread, which alone calls `inspect`.
    init(_ identity: Header, inspect: @escaping (Inspect) -> Inspection) {
        let questions = Questions()
        self.questions = questions
        nonisolated(unsafe) let inspect = inspect
        thread = RoleThread("looks") { [answers] in
            var poller = Poller([], questions.calls)
            var status: (of: Inspection, message: Message)?
            while true {
                poller.wait(.seconds(3600))
                if questions.calls.take().contains(false) { return }
                let now = inspect(Inspect())
                if status?.of != now { status = (now, Control.inspected(now).message(identity)) }
                var curves: [Double: Message] = [:]
                for (connection, wish) in questions.takeAll() {
                    var message = status?.message
                    if let since = wish.seriesSince, since.isFinite {
                        guard curves[since] != nil || curves.count < Self.mostCurves else {
                            questions.add(wish, connection)
                            continue
                        }
                        curves[since] = curves[since] ?? Control.inspected(inspect(wish)).message(identity)
                        message = curves[since]
                    }
                    if let message { answers.post((connection, message)) }
                }
                // Whoever asks meanwhile is answered together.
                Thread.sleep(forTimeInterval: Self.pause)
            }
        }
    }

    /// Somebody asks; the newest question of a connection counts.
    func ask(_ wish: Inspect, from connection: [UInt8]) { questions.add(wish, connection) }

    /// Ends the thread.
    func finish() {
        questions.calls.post(false)
        try? thread.join()
    }
}
