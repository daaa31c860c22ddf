import Telemetry

/// Why a job is to end before its last step, in order: with a checkpoint of the state at which it stops.
package enum StopCause: Sendable, Equatable {
    /// The scheduler's process got SIGTERM.
    case terminated
    /// Ctrl-C.
    case interrupted
    /// The terminal of the scheduler's process was closed (SIGHUP).
    case hungUp
    /// The time that it was given is over.
    case timeLimit(seconds: Double)
    /// A server's or worker's process got SIGTERM, or Ctrl-C.
    case node(Member, isInterrupt: Bool)

    /// What follows "stopped after step 12": "at SIGTERM".
    package var words: String {
        switch self {
        case .terminated: "at SIGTERM"
        case .interrupted: "by Ctrl-C"
        case .hungUp: "at SIGHUP"
        case .timeLimit(let seconds): "at the time limit of \(Self.text(seconds)) s"
        case .node(let member, let isInterrupt): "\(isInterrupt ? "by Ctrl-C" : "at SIGTERM") to \(member)"
        }
    }

    /// The code with which the program ends.
    package var exitCode: Int32 {
        let code: ExitCodes =
            switch self {
            case .interrupted, .node(_, isInterrupt: true): .interrupted
            case .terminated, .hungUp, .timeLimit, .node(_, isInterrupt: false): .stopped
            }
        return code.rawValue
    }

    private static func text(_ seconds: Double) -> String {
        Int(exactly: seconds).map { String($0) } ?? String(seconds)
    }
}
