import Foundation
import Synchronization
package import Telemetry

/// Serves the page and the API of a status board, on a thread of its own, until it is stopped or the process ends.
package final class PageServer: Sendable {
    /// The port that it got.
    package let port: UInt16
    /// What to open in a browser on this machine or, where it listens on all addresses, on another one.
    package let url: String
    private let loop: PageLoop
    private let reader: Reader

    /// When the page itself was last asked for.
    private final class Reader: Sendable {
        let asked = Mutex<ContinuousClock.Instant?>(nil)
    }

    /// Starts at once.
    ///
    /// - Parameters:
    ///   - board: what is shown; read anew for every version.
    ///   - options: where, and for whom.
    ///   - metrics: the text for Prometheus of a status.
    package convenience init(
        board: StatusBoard, options: PageOptions = PageOptions(), metrics: @escaping @Sendable (ClusterStatus) -> String
    ) throws {
        try self.init(board: board, options: options, limits: Connection.Limits(), metrics: metrics)
    }

    /// With other limits than the usual ones.
    init(
        board: StatusBoard, options: PageOptions, limits: Connection.Limits,
        metrics: @escaping @Sendable (ClusterStatus) -> String
    ) throws {
        let (socket, endpoint) = try options.listen()
        port = endpoint.port
        var shown = endpoint
        if ["0.0.0.0", "::"].contains(endpoint.host) { shown.host = ProcessInfo.processInfo.hostName }
        url = "http://\(shown.text)/"
        let gate = Gate(token: options.token, cookie: "myriad_\(endpoint.port)")
        let router = Router(board: board, gate: gate, metrics: metrics)
        let reader = Reader()
        self.reader = reader
        loop = PageLoop(socket, limits: limits) { request in
            if request.path == "/" { reader.asked.withLock { $0 = .now } }
            return router.answer(request)
        }
        loop.start()
    }

    deinit { loop.stop() }

    /// Waits until an open page has asked once more, so that it shows how the job ended; at once when none is open.
    package func linger(atMost limit: Duration = .seconds(3)) {
        let began = ContinuousClock.now
        func asked() -> ContinuousClock.Instant { reader.asked.withLock { $0 } ?? began - .seconds(3600) }
        guard asked().duration(to: began) < .seconds(3) else { return }
        while began.duration(to: .now) < limit {
            Thread.sleep(forTimeInterval: 0.05)
            guard asked() > began else { continue }
            // Its further questions (the curves) belong to the same look.
            return Thread.sleep(forTimeInterval: 0.4)
        }
    }

    /// Closes the port and all connections; returns when it is done.
    package func stop() { loop.stop() }
}
