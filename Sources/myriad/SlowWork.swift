import Dispatch
import Synchronization
import Telemetry

/// Says every two seconds what is being done, so that nobody takes long work for a hang; quick work says nothing.
final class SlowWork {
    private final class Current: Sendable { let what = Mutex("") }

    private let current = Current()
    private let timer = DispatchSource.makeTimerSource()

    init(every seconds: Double = 2) {
        timer.schedule(deadline: .now() + seconds, repeating: seconds)
        timer.setEventHandler { [current] in
            let what = current.what.withLock { $0 }
            if !what.isEmpty { StandardError.line(what) }
        }
        timer.resume()
    }

    deinit { timer.cancel() }

    /// What is done from now on.
    func begin(_ what: String) { current.what.withLock { $0 = what } }
}
