import ArgumentParser
import Cluster
import Display
import Foundation
import Synchronization
import Telemetry
import Wire

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show a job on the whole terminal, every second anew.",
        discussion: """
            Keys: q quit, s sort shards, h hot ids, w workers, p processes, ? help. Without a terminal, and with -o \
            json, it prints what there is once.

            Examples:
              myriad top
              myriad top runs/din-1
              myriad top tcp://10.0.0.1:5555
            """)

    @OptionGroup var look: LookArguments

    func run() throws {
        guard look.output == .table, isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0 else {
            return try look.show {
                $0
            } _: { status, moment, width in
                StatusView.lines(status, at: moment, width: width) + [Line()]
                    + ShardView.lines(status, at: moment, width: width) + [Line()]
                    + WorkerView.lines(status, width: width)
            }
        }
        // A wrong address has to be told on the usual screen.
        let source = try look.source()
        let first = try look.read(source, seriesSince: source.endpoint.isEmpty ? 0 : Date().timeIntervalSince1970 - 600)
        let feed = StatusFeed(
            target: source.directory ?? source.endpoint, access: look.security.access,
            first: .init(status: first.status, series: first.series, isLive: source.isLive))
        defer { feed.stop() }
        let screen = try Exit.attempt(Exit.unavailable) { try Screen() }
        defer { screen.release() }
        if case .ended(let signal) = draw(on: screen, from: feed) {
            screen.release()
            throw ExitCode(ExitCodes(ofSignal: signal).rawValue)
        }
    }

    private func draw(on screen: Screen, from feed: StatusFeed) -> Screen.Input {
        var view = TopView()
        let colored = look.isColored
        var drawn = ContinuousClock.now - .seconds(1)
        var news = -1
        while true {
            let contents = feed.contents
            if contents.version != news || drawn.duration(to: .now) >= .seconds(1) {
                news = contents.version
                drawn = .now
                let size = Screen.size() ?? (80, 24)
                let moment = Moment(now: Date().timeIntervalSince1970, isLive: contents.isLive)
                screen.show(
                    view.frame(
                        contents.status, series: contents.series, at: moment, trouble: contents.trouble,
                        width: size.width, height: size.height),
                    colored: colored)
            }
            switch screen.next(timeout: .milliseconds(100)) {
            case .ended(let signal): return .ended(by: signal)
            case .resized: news = -1
            case .nothing: break
            case .key(let bytes):
                switch view.type(bytes) {
                case .quit: return .key(bytes)
                case .suspend:
                    screen.suspend()
                    news = -1
                case .redraw: news = -1
                case .ignore: break
                }
            }
        }
    }
}

/// Asks for the status every second on a thread of its own: keys answer even when the scheduler does not.
private final class StatusFeed: Sendable {
    /// The newest.
    struct Contents: Sendable {
        var status = ClusterStatus()
        var series: [SeriesPoint] = []
        var isLive = false
        var trouble = ""
        var version = 0
        var isStopped = false
    }

    /// Points that are kept: more than any terminal has columns.
    private static let longest = 1000
    private let state: Mutex<Contents>

    /// - Parameter first: what is known already.
    init(target: String, access: Access, first: Contents) {
        state = Mutex(first)
        Want.thread("follow") { [self] in follow(target, access) }
    }

    var contents: Contents { state.withLock { $0 } }

    func stop() { state.withLock { $0.isStopped = true } }

    private func follow(_ target: String, _ access: Access) {
        var source: StatusSource?
        while !contents.isStopped {
            do {
                let open = try source ?? StatusSource(target, access: access)
                source = open
                let answer = try open.read(seriesSince: contents.series.last?.time ?? 0)
                let isLive = open.isLive
                state.withLock {
                    $0.status = answer.status
                    $0.series = ($0.series + answer.series).suffix(StatusFeed.longest)
                    $0.isLive = isLive
                    $0.trouble = ""
                    $0.version += 1
                }
            } catch {
                let trouble = "\(error)"
                state.withLock {
                    $0.trouble = trouble
                    $0.version += 1
                }
            }
            Thread.sleep(forTimeInterval: 1)
        }
    }
}
