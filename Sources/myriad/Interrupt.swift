import Dispatch
import Display
import Foundation
import Scheduler
import Synchronization
import Telemetry
import Transport

/// Ctrl-C, SIGTERM, a closed terminal (SIGHUP) and a time limit end a job in order: everybody stops after the same step, and its state is written.
///
/// A second signal ends the process at once; what comes within a second of the first is the same wish (`timeout` and
/// batch systems signal a process and its group).
final class Interrupt {
    private struct Contents {
        var signaled: ContinuousClock.Instant?
        var signals = 0
        var cause: StopCause?
        var inbox: Inbox<SchedulerNode.Command>?
    }

    /// When the process began; `main` looks at it first.
    static let began = ContinuousClock.now

    private let contents = SharedContents()
    private var sources: [any DispatchSourceProtocol] = []

    private final class SharedContents: Sendable {
        let state = Mutex(Contents())

        /// Asks for the end; of several causes the first counts.
        func wish(_ cause: StopCause) {
            state.withLock { state in
                guard state.cause == nil else { return }
                state.cause = cause
                state.inbox?.post(.stop(cause))
            }
        }

        /// Notes a signal, and says whether it is the first wish.
        func isFirstSignal() -> Bool {
            state.withLock { state in
                state.signals += 1
                defer { state.signaled = state.signaled ?? .now }
                return state.signaled.map { $0.duration(to: .now) < Departure.moment } ?? true
            }
        }
    }

    /// Why the job is to end, if it is.
    var cause: StopCause? { contents.state.withLock { $0.cause } }

    /// How many signals have come.
    var signals: Int { contents.state.withLock { $0.signals } }

    /// Listens from now on.
    ///
    /// - Parameter limit: seconds since the process's start after which the job is to end.
    init(limit: Double? = nil) {
        let contents = contents
        for (number, cause) in [(SIGINT, StopCause.interrupted), (SIGTERM, .terminated), (SIGHUP, .hungUp)] {
            sources += SignalSource.unlessIgnored(number) {
                guard contents.isFirstSignal() else { exit(ExitCodes(ofSignal: number).rawValue) }
                contents.wish(cause)
            }
        }
        guard let limit else { return }
        let timer = DispatchSource.makeTimerSource(queue: .global())
        let left = max(0, limit - Interrupt.began.duration(to: .now) / .seconds(1))
        timer.schedule(deadline: .now() + left)
        timer.setEventHandler { contents.wish(.timeLimit(seconds: limit)) }
        timer.resume()
        sources.append(timer)
    }

    /// What is asked for ends this job from now on, instead of the one before; also what was asked for between the two.
    func watch(_ scheduler: SchedulerNode) {
        contents.state.withLock { state in
            state.inbox = scheduler.inbox
            if let cause = state.cause { scheduler.inbox.post(.stop(cause)) }
        }
    }
}

extension SignalSource {
    /// The same, but never at a SIGHUP that `nohup` keeps away.
    static func unlessIgnored(
        _ number: Int32, _ body: @escaping @Sendable () -> Void
    ) -> [any DispatchSourceProtocol] {
        var before = sigaction()
        sigaction(number, nil, &before)
        let isIgnored = unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1
        return number == SIGHUP && isIgnored ? [] : [make(number, body)]
    }
}

/// SIGTERM, SIGHUP and Ctrl-C to a server or worker: it asks the scheduler to end the job in order.
///
/// A second signal ends the process at once, unless it comes within a second.
final class NodeInterrupt {
    /// What the node's link looks at.
    let departure = Departure()
    private var sources: [any DispatchSourceProtocol] = []

    /// - Parameter isLaunched: Ctrl-C and the end of the terminal are for the launcher, of whose group this process is.
    init(isLaunched: Bool) {
        let departure = departure
        for (number, kind) in [(SIGTERM, Departure.Signal.terminate), (SIGINT, .interrupt), (SIGHUP, .hangUp)]
        where kind == .terminate || !isLaunched {
            sources += SignalSource.unlessIgnored(number) {
                if !departure.wish(kind) { exit(ExitCodes(ofSignal: number).rawValue) }
            }
        }
    }
}
