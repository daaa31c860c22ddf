import Synchronization
import Telemetry
import Transport
import Wire

/// Does for the scheduler's thread whatever takes time, so that a slow disk or a large split stops no heartbeat: files of
/// checkpoints, metrics, records.
///
/// One thread does one thing after the other, in the order in which it was asked.
final class Clerk: Sendable {
    /// Something to do.
    enum Errand: Sendable {
        case commit(step: Int, parts: [SnapshotDone], judgement: Judgement)
        case discard(step: Int)
        case measure(ScoreBook, split: String, step: Int)
        case tell(SchedulerEvent)
        case leave
    }

    /// What came of it.
    enum Outcome: Sendable {
        case committed(step: Int, Result<(path: String, seconds: Double, bytes: Int), any Error>)
        case measured(Metrics, split: String, step: Int)
    }

    /// Files and people.
    struct Hands {
        var commit: SchedulerNode.Commit
        var discard: (_ step: Int) -> Void
        var watch: (SchedulerEvent) -> Void
    }

    let outcomes = Inbox<Outcome>()
    private let errands = Inbox<Errand>()
    private let thread: RoleThread

    /// Starts the thread; `hands` are used by it alone until it has left.
    init(_ hands: Hands) {
        nonisolated(unsafe) let hands = hands
        thread = RoleThread("clerk") { [errands, outcomes] in
            var poller = Poller([], errands)
            while true {
                poller.wait(.seconds(1))
                for errand in errands.take() {
                    switch errand {
                    case .commit(let step, let parts, let judgement):
                        let began = ContinuousClock.now
                        let result = Result {
                            (
                                path: try hands.commit(step, parts, judgement),
                                seconds: began.duration(to: .now) / .seconds(1),
                                bytes: parts.reduce(0) { $0 + $1.bytes }
                            )
                        }
                        outcomes.post(.committed(step: step, result))
                    case .discard(let step): hands.discard(step)
                    case .measure(let book, let split, let step):
                        outcomes.post(.measured(book.metrics(), split: split, step: step))
                    case .tell(let event): hands.watch(event)
                    case .leave: return
                    }
                }
            }
        }
    }

    /// Asks for something.
    func ask(_ errand: Errand) { errands.post(errand) }

    /// Waits until everything that was asked for is done.
    func finish() {
        errands.post(.leave)
        try? thread.join()
    }
}
