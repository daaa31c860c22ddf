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
        let inbox = Mutex<Inbox<SchedulerNode.Command>?>(nil)
    }

    private let state = State()
    private var sources: [any DispatchSourceSignal] = []

    /// Whether it happened.
    var isInterrupted: Bool { state.isInterrupted.withLock { $0 } }

    /// Starts to listen for a job, instead of the one before; a signal that came between the two ends this one.
    func watch(_ scheduler: SchedulerNode) {
        let inbox = scheduler.inbox
        state.inbox.withLock { $0 = inbox }
        if isInterrupted { inbox.post(.abort("interrupted")) }
        guard sources.isEmpty else { return }
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
                state.inbox.withLock { $0?.post(.abort("interrupted")) }
            }
            source.resume()
            sources.append(source)
        }
    }
}
