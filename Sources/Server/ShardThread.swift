import Foundation
import Telemetry
import Transport
import Wire

/// The one owner of a shard: it alone receives, applies, answers and writes.
final class ShardThread {
    private let desk: ShardDesk
    private let socket: Socket
    /// The states that the server's control thread wants written; nil to leave.
    private let wanted: Inbox<SnapshotRequest?>
    private let notes: Inbox<ShardNote>
    private let reports: Duration

    private var shard: Shard { desk.shard }

    init(_ desk: ShardDesk, _ socket: Socket, wanted: Inbox<SnapshotRequest?>, notes: Inbox<ShardNote>) {
        reports = desk.shard.options.statistics ? .seconds(1) : .seconds(1_000_000)
        self.desk = desk
        desk.tell = { notes.post($0) }
        self.socket = socket
        self.wanted = wanted
        self.notes = notes
    }

    /// Serves until it is told to stop.
    func run() {
        var poller = Poller([socket], wanted)
        var told = ContinuousClock.now
        var reported = told
        while true {
            poller.wait(.milliseconds(200))
            for request in wanted.take() {
                guard let request else {
                    notes.post(.report(shard.report()))
                    return
                }
                desk.want(request)
            }
            serve()
            let now = ContinuousClock.now
            if told.duration(to: now) > .milliseconds(250) {
                told = now
                notes.post(.step(shard: shard.options.shard, shard.step))
            }
            if reported.duration(to: now) >= reports {
                reported = now
                notes.post(.report(shard.report(hotIds: Shard.shownHotIds)))
            }
        }
    }

    private func serve() {
        var waiting = 0
        defer { shard.noteQueue(waiting) }
        var budget = TurnBudget()
        while let received = socket.receive(within: &budget) {
            waiting += 1
            switch received {
            case .garbage, .otherVersion: shard.countGarbage()
            case .message(let message, let from) where message.header.kind == .hello:
                // Somebody took this port for the scheduler's.
                let reason =
                    "this is shard \(shard.options.shard) of a server, not a scheduler: its scheduler has another address"
                socket.send(Control.stop(Stop(reason: reason, isRefusal: true)).message(shard.identity), to: from)
            case .message(let message, let from):
                if shard.knows(message.header) { socket.trustSender() }
                for answer in desk.receive(message, from: from) { socket.send(answer.message, to: answer.to) }
            }
        }
    }
}
