import ArgumentParser
import Cluster
import Display
import Foundation
import Job
import Telemetry
import Tensors

struct Dashboard: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the page of a run, finished or running, until Ctrl-C.",
        discussion: """
            The page that the scheduler serves while a job runs, made from the run's files (status.json, \
            metrics.jsonl), or by asking the scheduler while it still answers. Only this machine can connect.

            Examples:
              myriad dashboard
              myriad dashboard runs/synthetic-1 --port 8080
              myriad dashboard tcp://10.0.0.1:5555
            """)

    @Argument(
        help: ArgumentHelp(
            "A run directory, or the scheduler's address; the newest run in runs/ unless given.", valueName: "run"))
    var target: String?

    @OptionGroup var security: SecurityArguments

    @Option(help: "The port; 7165 or the next free one unless given.")
    var port: UInt16?

    func run() throws {
        let (source, first) = try Exit.attempt {
            let source = try StatusSource(target, access: security.access)
            return (source, try source.read(seriesSince: 0))
        }
        let feed = StatusFeed(source, first: first)
        let server = try JobPage.server(feed.board, PageOptions(address: port.map { "127.0.0.1:\($0)" } ?? "auto"))
        print("page: \(server.url)  (Ctrl-C ends it)")
        fflush(nil)
        withExtendedLifetime(feed) { while true { pause() } }
    }
}

/// The page beside a job, as its configuration wants it.
enum JobPage {
    /// Starts the page of a job that begins; nil when it is off.
    static func start(_ config: JobConfig, _ board: StatusBoard) throws -> PageServer? {
        guard config.monitor.page != "off" else { return nil }
        let options = PageOptions(address: config.monitor.page, token: try token(config))
        return try server(board, options, place: "\(config.places.of("monitor.page")): monitor.page: ")
    }

    /// Starts a server, or leaves with the exit code of what is wrong.
    ///
    /// - Parameter place: where the address was given, before what is wrong with it.
    static func server(_ board: StatusBoard, _ options: PageOptions, place: String = "") throws -> PageServer {
        do {
            return try PageServer(board: board, options: options)
        } catch let error as PageError {
            switch error {
            case .taken, .unavailable: throw Exit.with(.unavailable, "\(place)\(error)")
            case .badAddress, .needsToken, .badToken: throw Exit.with(.input, "\(place)\(error)")
            }
        }
    }

    /// From the environment, or else from the file that the configuration names; nil for none.
    private static func token(_ config: JobConfig) throws -> String? {
        if let token = ProcessInfo.processInfo.environment["MYRIAD_TOKEN"], !token.isEmpty { return token }
        guard !config.monitor.tokenFile.isEmpty else { return nil }
        do {
            return try Files.text(of: config.monitor.tokenFile).trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw Exit.with(
                .input,
                "\(config.places.of("monitor.token_file")): monitor.token_file: \(error): name a file with the token alone, "
                    + "or set MYRIAD_TOKEN")
        }
    }
}
