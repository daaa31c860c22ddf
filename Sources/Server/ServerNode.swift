import Foundation
package import Transport
package import Wire

/// A server: some shards, each on a thread of its own, under one control thread.
package final class ServerNode {
    /// Writes a shard's part of a checkpoint, synced.
    package typealias PartWriter = @Sendable (Shard, SnapshotRequest) throws -> SnapshotDone

    /// Where and as what it runs.
    package struct Options: Sendable {
        /// The scheduler's endpoint.
        package var scheduler: String
        /// Where each shard listens; ports may be `*`.
        package var listen: [String]
        /// Who it is; the endpoints are filled in.
        package var hello: Hello
        /// Silence of the scheduler that is endured.
        package var silence: Duration

        /// Every property in its order.
        package init(scheduler: String, listen: [String], hello: Hello, silence: Duration = .seconds(30)) {
            self.scheduler = scheduler
            self.listen = listen
            self.hello = hello
            self.silence = silence
        }
    }

    private let options: Options
    private let context: Context
    private let build: (Welcome, Header) throws -> [Shard]
    private let write: PartWriter
    private let report: () -> Report
    private let notes = Inbox<ShardThread.Note>()
    private var commands: [Inbox<ShardThread.Command>] = []
    private var threads: [RoleThread] = []
    private var steps: [Int] = []
    private var statistics: [ShardStatistics] = []

    /// A server.
    ///
    /// - Parameters:
    ///   - build: makes its shards when the scheduler has told the map.
    ///   - report: memory and time of the process.
    package init(
        _ options: Options, in context: Context, report: @escaping () -> Report, write: @escaping PartWriter,
        build: @escaping (Welcome, Header) throws -> [Shard]
    ) {
        self.options = options
        self.context = context
        self.build = build
        self.write = write
        self.report = report
    }

    /// Joins the job, serves, and returns when the scheduler says so.
    package func run() throws {
        let sockets = try options.listen.map { try Socket.listen(on: $0, in: context) }
        var hello = options.hello
        hello.endpoints = sockets.map(\.endpoint)
        let link = try SchedulerLink(to: options.scheduler, in: context, hello: hello, silence: options.silence)
        let welcome = try link.join()
        do {
            start(try build(welcome, link.identity), sockets)
        } catch {
            link.send(.failed(Failure(role: .server, rank: welcome.rank, message: "\(error)")))
            throw error
        }
        link.send(.ready(Ready()))
        defer { stopThreads() }
        try serve(link, rank: welcome.rank)
        stopThreads()
        var report = report()
        for part in statistics { report.counters.merge(part.counters) { $0 + $1 } }
        link.leave(report)
    }

    private func start(_ shards: [Shard], _ sockets: [Socket]) {
        steps = shards.map(\.step)
        for (shard, socket) in zip(shards, sockets) {
            let inbox = Inbox<ShardThread.Command>()
            commands.append(inbox)
            // The shard and its socket move to the thread, and nobody else touches them from here on.
            nonisolated(unsafe) let owner = ShardThread(shard, socket, commands: inbox, notes: notes, write: write)
            threads.append(RoleThread("shard-\(shard.options.shard)") { owner.run() })
        }
    }

    private func serve(_ link: SchedulerLink, rank: Int) throws {
        var poller = Poller([link.socket], notes)
        while true {
            poller.wait(.milliseconds(200))
            for note in notes.take() { take(note, link, rank) }
            for control in link.receive() {
                switch control {
                case .snapshot(let request): for inbox in commands { inbox.post(.write(request)) }
                case .stop: return
                default: break
                }
            }
            try link.tick(step: steps.min() ?? 0, state: "serving")
        }
    }

    private func take(_ note: ShardThread.Note, _ link: SchedulerLink, _ rank: Int) {
        switch note {
        case .wrote(let done): link.send(.snapshotDone(done))
        case .failed(let reason): link.send(.failed(Failure(role: .server, rank: rank, message: reason)))
        case .step(let shard, let step): steps[shard % steps.count] = step
        case .stopped(_, let part): statistics.append(part)
        }
    }

    private func stopThreads() {
        for inbox in commands { inbox.post(.stop) }
        for thread in threads { try? thread.join() }
        for case .stopped(_, let part) in notes.take() { statistics.append(part) }
        commands = []
        threads = []
    }
}
