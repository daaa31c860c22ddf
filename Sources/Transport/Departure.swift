import Synchronization
import Telemetry

/// The wish that a node's process ends: noted by whoever hears a signal, told to the scheduler by the node's link.
package final class Departure: Sendable {
    /// How the wish came.
    package enum Signal: Sendable, Equatable {
        case terminate
        case interrupt
        /// SIGHUP: the terminal was closed.
        case hangUp

        /// What people call it.
        package var name: String {
            switch self {
            case .terminate: "SIGTERM"
            case .interrupt: "Ctrl-C"
            case .hangUp: "SIGHUP"
            }
        }
        /// The code with which the process ends.
        package var exitCode: Int32 { (self == .interrupt ? ExitCodes.interrupted : .stopped).rawValue }
    }

    /// Signals within this time are one wish: they go to a process and to its group.
    package static let moment = Duration.seconds(1)
    /// How long a scheduler that says nothing is waited for.
    static let patience = Duration.seconds(10)
    /// The same before the node has a place in the job.
    static let patienceBeforeWelcome = Duration.seconds(1)

    private let state = Mutex<(signal: Signal, time: ContinuousClock.Instant)?>(nil)

    /// Nobody wishes it yet.
    package init() {}

    /// The wish, and when it came.
    var notice: (signal: Signal, time: ContinuousClock.Instant)? { state.withLock { $0 } }

    /// How the wish came, if it did.
    package var signal: Signal? { notice?.signal }

    /// Notes the wish, from any thread; false when it is a second one.
    package func wish(_ signal: Signal) -> Bool {
        state.withLock { state in
            if let state { return state.time.duration(to: .now) < Self.moment }
            state = (signal, .now)
            return true
        }
    }
}
