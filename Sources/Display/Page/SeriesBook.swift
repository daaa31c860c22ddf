import Foundation
import Synchronization
import Telemetry

/// The curves as JSON: every point is encoded once.
final class SeriesBook: Sendable {
    private struct Contents {
        var version = -1
        var times: [Double] = []
        var points: [Data] = []
    }

    private let board: StatusBoard
    private let contents = Mutex(Contents())

    init(board: StatusBoard) { self.board = board }

    /// Points after a time, oldest first, as a JSON array.
    ///
    /// - Parameter most: how many points at most, evenly chosen, the newest among them; nil for all.
    func data(since time: Double, most: Int? = nil) -> Data {
        contents.withLock { contents in
            update(&contents)
            // Ascending in time, and a short end is what is asked for once a second.
            let first = contents.times.lastIndex { $0 <= time }.map { $0 + 1 } ?? 0
            var data = Data("[".utf8)
            let count = contents.points.count - first
            let shown = min(count, most ?? count)
            for place in 0..<shown {
                if place > 0 { data.append(44) }
                data.append(contents.points[first + (place + 1) * count / shown - 1])
            }
            data.append(93)
            return data
        }
    }

    /// Encodes what is new.
    func update() { contents.withLock { update(&$0) } }

    /// Takes over what the board has; what it has thinned out is forgotten here too.
    private func update(_ contents: inout Contents) {
        let version = board.version
        guard contents.version != version else { return }
        contents.version = version
        let known = Dictionary(zip(contents.times, contents.points)) { $1 }
        let all = board.series(since: -.infinity)
        contents.times = all.map(\.time)
        contents.points = all.map { known[$0.time] ?? StatusJSON.json($0) }
    }
}
