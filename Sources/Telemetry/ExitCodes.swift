/// The codes with which the program ends; all that ends it takes its code from here, and README lists them.
package enum ExitCodes: Int32, CaseIterable, Sendable {
    case success = 0
    case orphaned = 3
    case usage = 64
    case input = 65
    case unavailable = 69
    case failed = 70
    case keys = 77
    case interrupted = 130
    case stopped = 143

    /// What each means, in a few words.
    package var meaning: String {
        switch self {
        case .success: "success"
        case .orphaned: "a server or worker whose launcher is gone"
        case .usage: "wrong command line"
        case .input: "wrong config, data, checkpoint or version"
        case .unavailable: "an address is taken or cannot be reached, or the run is in use"
        case .failed: "the job failed, or a check of doctor"
        case .keys: "wrong or missing keys"
        case .interrupted: "stopped by Ctrl-C"
        case .stopped: "stopped by SIGTERM, SIGHUP or the time limit"
        }
    }

    /// The code with which a signal ends a process in order: a closed terminal means what SIGTERM means.
    package init(ofSignal number: Int32) { self = number == 2 ? .interrupted : .stopped }
}

extension FailureReport.Cause {
    /// The code with which a program ends that failed of this.
    package var exitCode: Int32 {
        let code: ExitCodes =
            switch self {
            case .config, .version, .data: .input
            case .port, .unreachable: .unavailable
            case .keys: .keys
            case .interrupted: .interrupted
            case .killed, .stopped, .memory, .tableLimit, .diskFull, .diverged, .other: .failed
            }
        return code.rawValue
    }
}
