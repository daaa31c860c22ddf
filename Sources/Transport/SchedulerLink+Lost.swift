package import Telemetry
package import Wire

extension SchedulerLink {
    /// The scheduler has not been heard of for too long, or the node was told to stop before it had a place.
    package enum Lost: FailureCausing, CustomStringConvertible {
        /// Seconds of silence, and why as far as that can be found out.
        case silent(endpoint: String, seconds: Int, why: String)
        /// The scheduler will not have this node.
        case refused(String)
        /// The job ended before this node was part of it.
        case stopped(String)
        /// The scheduler speaks another version of the protocol.
        case version(endpoint: String, UInt8)
        /// The scheduler says what this node cannot read.
        case unreadable(endpoint: String, WireError)
        /// The scheduler does not know this node's key.
        case keyNotAllowed(endpoint: String, PublicKey)
        /// Whoever listens there does not hold the key that this node takes for the scheduler's.
        case wrongSchedulerKey(endpoint: String, PublicKey)
        /// One side encrypts, the other does not.
        case plaintext(endpoint: String, nodeHasKeys: Bool)
        /// The process is to end, and the scheduler does not say when.
        case left(endpoint: String, Departure.Signal)

        package var cause: FailureReport.Cause {
            switch self {
            case .silent: .unreachable
            case .refused(let reason):
                reason.contains("same release") ? .version : reason.contains("cannot reach") ? .unreachable : .config
            case .stopped, .left: .other
            case .version, .unreadable: .version
            case .keyNotAllowed, .wrongSchedulerKey, .plaintext: .keys
            }
        }

        package var isConsequence: Bool {
            switch self {
            case .silent, .stopped, .left: true
            case .refused, .version, .unreadable, .keyNotAllowed, .wrongSchedulerKey, .plaintext: false
            }
        }

        package var description: String {
            switch self {
            case .silent(let endpoint, seconds: 0, let why): "the scheduler at \(endpoint) cannot be reached: \(why)"
            case .silent(let endpoint, let seconds, let why):
                "the scheduler at \(endpoint) has been silent for \(seconds) s: \(why)"
            case .refused(let reason), .stopped(let reason): reason
            case .version(let endpoint, let found):
                "the scheduler at \(endpoint) speaks version \(found) of the protocol, this process \(Header.version): "
                    + "run the same release everywhere"
            case .unreadable(let endpoint, let error):
                "the scheduler at \(endpoint) sent what cannot be read: \(error)"
            case .keyNotAllowed(let endpoint, let key):
                "the scheduler at \(endpoint) does not allow this node's key \(key): run `myriad keys allow \(key)` on "
                    + "its machine, or give this node the keys of that cluster"
            case .wrongSchedulerKey(let endpoint, let key):
                "whoever listens at \(endpoint) hung up on every handshake: it does not hold the key \(key.short) that "
                    + "scheduler.pub names. It is another cluster's scheduler, its keys were made anew, or it is no "
                    + "scheduler at all: copy scheduler.pub from its key directory"
            case .plaintext(let endpoint, let nodeHasKeys):
                nodeHasKeys
                    ? "the scheduler at \(endpoint) does not encrypt, this node does: start the scheduler with --keys, or "
                        + "this node without keys"
                    : "the scheduler at \(endpoint) encrypts, this node has no keys: give it their directory with --keys"
            case .left(let endpoint, let signal):
                "left at \(signal.name), without an answer of the scheduler at \(endpoint)"
            }
        }
    }
}
