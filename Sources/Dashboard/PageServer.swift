import Foundation
package import Telemetry

/// Serves the page and the API of a status board, on a thread of its own, until it is stopped or the process ends.
package final class PageServer: Sendable {
    /// The port that it got.
    package let port: UInt16
    /// What to open in a browser on this machine or, where it listens on all addresses, on another one.
    package let url: String
    private let loop: PageLoop

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
        loop = PageLoop(socket, limits: limits) { router.answer($0) }
        loop.start()
    }

    deinit { loop.stop() }

    /// Closes the port and all connections; returns when it is done.
    package func stop() { loop.stop() }
}
