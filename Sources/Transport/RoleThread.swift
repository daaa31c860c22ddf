import Dispatch
import Synchronization
import Telemetry

/// A thread that can be waited for, and that keeps the error which ended it.
package final class RoleThread: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    /// Starts `body` on a thread of this name.
    package init(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
        Want.thread(name) { [self] in
            do {
                try body()
            } catch {
                failure.withLock { $0 = error }
            }
            done.signal()
        }
    }

    /// Waits for the end, and throws what ended it.
    package func join() throws {
        done.wait()
        done.signal()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
