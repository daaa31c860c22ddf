import CZeroMQ
import Telemetry

/// The ZeroMQ context of a process; sockets keep it alive, and it ends after the last of them.
///
/// Unchecked: libzmq's contexts may be shared between threads.
package final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer
    /// Who this process is; nil where it speaks in plaintext.
    package let identity: KeyPair?
    /// Whether plaintext may leave this machine.
    let isInsecure: Bool
    /// Watches the tcp sockets and the keys of those who connect.
    package let gate: Gate

    /// A context with so many threads of input and output.
    ///
    /// - Parameters:
    ///   - identity: encrypts all tcp sockets (CURVE), as this process.
    ///   - isInsecure: lets plaintext leave this machine, which is refused otherwise.
    package init(
        ioThreads: Int = 1, identity: KeyPair? = nil, isInsecure: Bool = false
    ) throws(TransportError) {
        // libzmq aborts where it gets no thread or descriptor: its own, those of its first sockets, and those of the gate.
        Want.ensureThreads(ioThreads + 3)
        Want.ensureFiles(4 * ioThreads + 16)
        guard let handle = zmq_ctx_new() else { throw .failed("zmq_ctx_new", lastError()) }
        zmq_ctx_set(handle, ZMQ_IO_THREADS, Int32(ioThreads))
        zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, 4096)
        self.handle = handle
        self.identity = identity
        self.isInsecure = isInsecure
        do {
            gate = try Gate(in: handle, authenticates: identity != nil)
        } catch {
            zmq_ctx_term(handle)
            throw error
        }
    }

    deinit {
        gate.stop()
        zmq_ctx_term(handle)
    }

    /// "4.3.4": of libzmq.
    package static var libraryVersion: String {
        var (major, minor, patch) = (Int32(0), Int32(0), Int32(0))
        zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}

/// What the last call of libzmq complained of.
func lastError() -> String { String(cString: zmq_strerror(zmq_errno())) }
