import ArgumentParser
import Cluster
import Display
import Foundation
import Telemetry

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
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
                let scene = Scene(status, at: moment, width: width)
                return scene.whole + [Line()] + scene.shards + [Line()] + scene.workers
            }
        }
        // A wrong address has to be told on the usual screen.
        let source = try look.source()
        let first = try look.read(source, seriesSince: source.endpoint.isEmpty ? 0 : Date().timeIntervalSince1970 - 600)
        let feed = StatusFeed(source, first: first)
        let screen = try Exit.attempt(.unavailable) { try Screen() }
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
            let (status, version) = feed.board.newest
            if version != news || drawn.duration(to: .now) >= .seconds(1) {
                news = version
                drawn = .now
                let size = Screen.size() ?? (80, 24)
                let moment = Moment(now: Date().timeIntervalSince1970, isLive: feed.isLive)
                // More points than any terminal has columns.
                let series = Array(feed.board.series(since: 0).suffix(1000))
                let scene = Scene(status, at: moment, width: size.width)
                screen.show(
                    view.frame(scene, series: series, trouble: feed.trouble, height: size.height), colored: colored)
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
