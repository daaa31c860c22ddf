import Foundation
import Scheduler
import Synchronization
import Transport

/// Ctrl-C and SIGTERM end a job in order: the scheduler tells everybody to stop.
///
/// A second signal ends the process at once.
final class Interrupt {
    private final class State: Sendable {
        let isInterrupted = Mutex(false)
    }

    private let state = State()
    private var sources: [any DispatchSourceSignal] = []

    /// Whether it happened.
    var isInterrupted: Bool { state.isInterrupted.withLock { $0 } }

    /// Starts to listen for a job.
    func watch(_ scheduler: SchedulerNode) {
        let inbox = scheduler.inbox
        let state = state
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let isSecond = state.isInterrupted.withLock { flag in
                    defer { flag = true }
                    return flag
                }
                if isSecond { exit(130) }
                inbox.post(.abort("interrupted"))
            }
            source.resume()
            sources.append(source)
        }
    }
}
