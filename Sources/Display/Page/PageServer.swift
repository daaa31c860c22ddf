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
    ///   - patience: with clients.
    package init(board: StatusBoard, options: PageOptions = PageOptions(), patience: Patience = Patience()) throws {
        let (socket, endpoint) = try options.listen()
        port = endpoint.port
        var shown = endpoint
        if ["0.0.0.0", "::"].contains(endpoint.host) { shown.host = ProcessInfo.processInfo.hostName }
        url = "http://\(shown.text)/"
        let gate = Gate(token: options.token, cookie: "myriad_\(endpoint.port)")
        let router = Router(board: board, gate: gate)
        let readers = Readers()
        self.readers = readers
        loop = PageLoop(socket, patience: patience, refused: { board.turnAway() }) { request in
            // Whoever may not see the page is not waited for; the page is the last that its script asks for.
            if let reader = Self.reader(request), gate.refusal(of: request) == nil { readers.note(reader) }
            return router.answer(request)
        }
        loop.start()
    }

    deinit { loop.stop() }

    /// Who is known by a request.
    private static func reader(_ request: Request) -> Readers.Kind? {
        switch request.path {
        case "/": .page(request.headers["myriad-reader"].map { String($0.prefix(32)) } ?? "")
        case "/metrics":
            .scraper(request.peer, isPrometheus: request.headers["x-prometheus-scrape-timeout-seconds"] != nil)
        default: nil
        }
    }

    /// Waits until every open page, and everybody who scrapes `/metrics`, has asked once more, so that it knows how the
    /// job ended: at most two of its own intervals.
    ///
    /// At once when there is nobody.
    ///
    /// - Parameters:
    ///   - pages: how long for pages at most.
    ///   - scrapers: how long for scrapers at most.
    ///   - tell: gets a line when it may take long.
    ///   - isCut: whether nobody wants to wait any longer.
    package func linger(
        pages: Duration = .seconds(8), scrapers: Duration = .seconds(120), tell: (String) -> Void = { _ in },
        until isCut: () -> Bool = { false }
    ) {
        let began = ContinuousClock.now
        readers.end()
        func isAwaited(_ scraping: Bool, _ most: Duration) -> Bool {
            readers.areExpected(scraping: scraping) != nil && began.duration(to: .now) < most
        }
        if let wait = readers.areExpected(scraping: true).map({ min($0, scrapers) }), wait > .seconds(2) {
            tell(
                "the page stays for \(Int(wait / .seconds(1))) s at most, until whoever scrapes it has seen the end "
                    + "(Ctrl-C ends the wait)")
        }
        while !isCut(), isAwaited(false, pages) || isAwaited(true, scrapers) { Thread.sleep(forTimeInterval: 0.02) }
    }

    /// Closes the port and, once the answers that are on their way have gone, all connections; returns when it is done.
    package func stop() { loop.stop() }
}
