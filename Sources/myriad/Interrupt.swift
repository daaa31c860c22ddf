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
final class Interrupt: Sendable {
    private struct Contents {
        var signals = 0
        var cause: StopCause?
        var inbox: Inbox<SchedulerNode.Command>?
    }

    /// When the process began; `main` looks at it first.
    static let began = ContinuousClock.now

    private let contents = Mutex(Contents())
    /// Kept alive; written once, before anybody else knows of this.
    private nonisolated(unsafe) var sources: [any DispatchSourceProtocol] = []

    /// Why the job is to end, if it is.
    var cause: StopCause? { contents.withLock { $0.cause } }

    /// How many signals have come.
    var signals: Int { contents.withLock { $0.signals } }

    /// Listens from now on.
    ///
    /// - Parameter limit: seconds since the process's start after which the job is to end.
    init(limit: Double? = nil) {
        sources = SignalSource.listen(for: Departure(), to: [SIGINT, SIGTERM, SIGHUP]) { [weak self] signal in
            self?.contents.withLock { $0.signals += 1 }
            self?.wish(signal == .interrupt ? .interrupted : signal == .hangUp ? .hungUp : .terminated)
        }
        guard let limit else { return }
        let left = max(0, limit - Interrupt.began.duration(to: .now) / .seconds(1))
        DispatchQueue.global().asyncAfter(deadline: .now() + left) { [weak self] in
            self?.wish(.timeLimit(seconds: limit))
        }
    }

    /// Asks for the end; of several causes the first counts.
    private func wish(_ cause: StopCause) {
        contents.withLock { contents in
            guard contents.cause == nil else { return }
            contents.cause = cause
            contents.inbox?.post(.stop(cause))
        }
    }

    /// What is asked for ends this job from now on, instead of the one before; also what was asked for between the two.
    func watch(_ scheduler: SchedulerNode) {
        contents.withLock { contents in
            contents.inbox = scheduler.inbox
            if let cause = contents.cause { scheduler.inbox.post(.stop(cause)) }
        }
    }
}

extension SignalSource {
    /// Notes signals as the wish to depart, never a SIGHUP that `nohup` keeps away; a second one, unless it comes within
    /// a second, ends the process at once.
    static func listen(
        for departure: Departure, to numbers: [Int32], _ body: @escaping @Sendable (Departure.Signal) -> Void = { _ in }
    ) -> [any DispatchSourceProtocol] {
        numbers.filter { number in
            var before = sigaction()
            sigaction(number, nil, &before)
            let isIgnored = unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1
            return number != SIGHUP || !isIgnored
        }.map { number in
            make(number) {
                let signal: Departure.Signal = [SIGINT: .interrupt, SIGHUP: .hangUp][number] ?? .terminate
                guard departure.wish(signal) else { exit(ExitCodes(ofSignal: number).rawValue) }
                body(signal)
            }
        }
    }
}
