import Cluster
import Foundation
import Synchronization
import Telemetry
import Wire

/// A job's status, asked for every second by a thread of its own: who shows it never waits for the scheduler.
final class StatusFeed: Sendable {
    /// The newest that was told.
    let board: StatusBoard
    /// Whether a scheduler told it, and why there is no news, if there is none.
    private let state: Mutex<(isLive: Bool, trouble: String)>

    var isLive: Bool { state.withLock { $0.isLive } }
    var trouble: String { state.withLock { $0.trouble } }

    /// - Parameter first: what the source told already.
    init(_ source: StatusSource, first: Inspection) {
        board = StatusBoard(status: first.status, series: first.series)
        state = Mutex((source.isLive, ""))
        // From here on the thread alone has it.
        nonisolated(unsafe) let source = source
        Want.thread("follow") { [weak self] in
            var newest = first.series.last?.time ?? 0
            while let self {
                Thread.sleep(forTimeInterval: 1)
                do {
                    let next = try source.read(seriesSince: newest)
                    for point in next.series { board.publish(next.status, point: point) }
                    if next.series.isEmpty, next.status != board.status { board.publish(next.status) }
                    newest = next.series.last?.time ?? newest
                    state.withLock {
                        $0 = (source.isLive, "")
                    }
                } catch {
                    state.withLock {
                        $0.trouble = "\(error)"
                    }
                }
            }
        }
    }
}
