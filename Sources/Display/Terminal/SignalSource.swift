package import Dispatch

/// Signals as events.
package enum SignalSource {
    private static let queue = DispatchQueue(label: "signals")

    /// Calls `body` at every signal of a number that comes after this, on some thread.
    ///
    /// What comes before does what it does by default. Nobody may ignore it meanwhile: the dispatch library sets its handler a
    /// moment later, on a thread of its own, and what is ignored until then is lost.
    package static func make(_ number: Int32, _ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        let isReady = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { isReady.signal() }
        source.setEventHandler(handler: body)
        source.resume()
        isReady.wait()
        return source
    }
}
