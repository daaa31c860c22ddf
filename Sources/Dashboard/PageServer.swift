import Foundation
package import Telemetry

/// Serves the page and the API of a status board, on a thread of its own, until it is stopped or the process ends.
package final class PageServer: Sendable {
    /// The port that it got.
    package let port: UInt16
    /// What to open in a browser on this machine or, where it listens on all addresses, on another one.
    package let url: String
    private let loop: PageLoop
    private let readers: Readers

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
        let readers = Readers()
        self.readers = readers
        loop = PageLoop(socket, limits: limits) { request in
            // Whoever may not see the page is not waited for; the page is the last that its script asks for.
            if request.path == "/", gate.refusal(of: request) == nil {
                readers.note(request.headers["myriad-reader"].map { String($0.prefix(32)) } ?? "")
            }
            return router.answer(request)
        }
        loop.start()
    }

    deinit { loop.stop() }

    /// Waits until every open page has asked once more, so that it shows how the job ended; at once when none is open.
    package func linger(atMost limit: Duration = .seconds(8)) {
        let began = ContinuousClock.now
        readers.end()
        while readers.areExpected(), began.duration(to: .now) < limit { Thread.sleep(forTimeInterval: 0.02) }
    }

    /// Closes the port and, once the answers that are on their way have gone, all connections; returns when it is done.
    package func stop() { loop.stop() }
}
