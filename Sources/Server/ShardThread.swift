import Foundation
import Telemetry
import Transport
import Wire

/// The one owner of a shard: it alone receives, applies, answers and writes.
final class ShardThread {
    /// What the server's control thread asks for.
    enum Command: Sendable {
        /// Write the state after this step.
        case write(SnapshotRequest)
        /// Leave.
        case stop
    }

    /// What the control thread is told.
    enum Note: Sendable {
        /// A part of a checkpoint is on disk.
        case wrote(SnapshotDone)
        /// Its part of the checkpoint of a step could not be written.
        case notWritten(step: Int, String)
        /// The shard cannot go on.
        case failed(String)
        /// Steps applied.
        case step(shard: Int, Int)
        /// Its counters, once a second and as its last word.
        case report(ShardReport)
    }

    private let shard: Shard
    private let socket: Socket
    private let commands: Inbox<Command>
    private let notes: Inbox<Note>
    private let write: ServerNode.PartWriter
    private let reports: Duration
    private var wanted: [SnapshotRequest] = []
    private var answers: [Shard.Answer] = []
    private var events: [Shard.Event] = []

    init(
        _ shard: Shard, _ socket: Socket, commands: Inbox<Command>, notes: Inbox<Note>,
        write: @escaping ServerNode.PartWriter
    ) {
        reports = shard.options.statistics ? .seconds(1) : .seconds(1_000_000)
        self.shard = shard
        self.socket = socket
        self.commands = commands
        self.notes = notes
        self.write = write
    }

    /// Serves until it is told to stop.
    func run() {
        var poller = Poller([socket], commands)
        var told = ContinuousClock.now
        var reported = told
        while true {
            poller.wait(.milliseconds(200))
            for command in commands.take() {
                switch command {
                case .write(let request): wanted.append(request)
                case .stop:
                    notes.post(.report(shard.report()))
                    return
                }
            }
            serve()
            writeWanted()
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
        while let received = socket.receive() {
            waiting += 1
            switch received {
            case .garbage, .otherVersion: shard.countGarbage()
            case .message(let message, let from) where message.header.kind == .hello:
                // Somebody took this port for the scheduler's.
                let reason =
                    "this is shard \(shard.options.shard) of a server, not a scheduler: its scheduler has another address"
                socket.send(Control.stop(Stop(reason: reason, isRefusal: true)).message(shard.identity), to: from)
            case .message(let message, let from):
                shard.receive(message, from: from, answers: &answers, events: &events)
                for answer in answers { socket.send(answer.message, to: answer.to) }
                answers.removeAll(keepingCapacity: true)
                for event in events {
                    guard case .checkpointDue(let step) = event else { continue }
                    let directory = shard.options.checkpoints
                    wanted.append(SnapshotRequest(step: step, directory: directory, final: false))
                }
                events.removeAll(keepingCapacity: true)
                // A due checkpoint is of the state right now: nothing may be applied before it is written.
                if !wanted.isEmpty { writeWanted() }
            }
        }
    }

    private func writeWanted() {
        let ready = wanted.filter { $0.step <= shard.step }
        wanted.removeAll { $0.step <= shard.step }
        for request in ready {
            guard request.step == shard.step else {
                notes.post(.failed("state \(request.step) is gone: shard is after step \(shard.step)"))
                continue
            }
            do {
                let began = ContinuousClock.now
                let done = try write(shard, request)
                shard.noteWritten(done, seconds: began.duration(to: .now) / .seconds(1))
                notes.post(.wrote(done))
            } catch {
                notes.post(.notWritten(step: request.step, "checkpoint of step \(request.step): \(error)"))
            }
        }
    }
}
