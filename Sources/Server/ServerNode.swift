import Foundation
package import Telemetry
import Tensors
package import Transport
package import Wire

/// A server: some shards, each on a thread of its own, under one control thread.
package final class ServerNode {
    /// Writes a shard's part of a checkpoint, synced.
    package typealias PartWriter = @Sendable (Shard, SnapshotRequest) throws -> SnapshotDone

    /// Makes the shards of a server, and says meanwhile in words what it does.
    package typealias Build = (Welcome, Header, _ tell: @escaping (String) -> Void) throws -> [Shard]

    private let options: NodeOptions
    private let listen: [String]
    private let context: Context
    private let build: Build
    private let write: PartWriter
    private let process: () -> ProcessReport
    private let notes = Inbox<ShardNote>()
    private var wanted: [Inbox<SnapshotRequest?>] = []
    private var threads: [RoleThread] = []
    private var steps: [Int] = []
    private var reports: [Int: ShardReport] = [:]
    private var reported: ContinuousClock.Instant?
    private var doors: [ConnectionLog] = []

    /// A server.
    ///
    /// - Parameters:
    ///   - listen: where each shard listens; ports may be `*`.
    ///   - build: makes its shards when the scheduler has told the map.
    ///   - process: memory, time and handles of the process.
    package init(
        _ options: NodeOptions, listen: [String], in context: Context, process: @escaping () -> ProcessReport,
        write: @escaping PartWriter, build: @escaping Build
    ) {
        self.options = options
        self.listen = listen
        self.context = context
        self.build = build
        self.write = write
        self.process = process
    }

    /// Joins the job, serves, and returns when the scheduler says so.
    ///
    /// - Returns: whether the job is done; false when it was stopped before its end.
    @discardableResult
    package func run() throws -> Bool {
        let sockets = try listen.map { try Socket.listen(on: $0, in: context) }
        var options = options
        options.hello.endpoints = sockets.map(\.endpoint)
        doors = sockets.compactMap(\.log)
        let link = try SchedulerLink(options, in: context)
        defer { link.close() }
        try link.work { welcome in
            OutOfMemory.tell { [weak link] in
                link?.send(.failed(Failure(role: .server, rank: welcome.rank, message: $0)))
            }
            // Until now nobody was let in: the scheduler alone knows who belongs to the job.
            let members = Set((welcome.nodeKeys ?? []).compactMap { PublicKey($0) })
            context.gate.admit { members.contains($0) ? .allowed : .refused }
            if context.identity != nil { for socket in sockets { socket.trustAll() } }
            // Shards answer strangers, too: those must not learn by what the scheduler knows this process.
            var shown = link.identity
            shown.incarnation = .random(in: 1...UInt32.max)
            start(try build(welcome, shown) { link.note(step: welcome.resumeStep, $0) }, sockets)
            defer { stopThreads() }
            link.send(.ready(Ready()))
            try serve(link)
        }
        return link.leave(report)
    }

    /// What the shards last told, and the process as it is now.
    private var report: NodeReport {
        var report = NodeReport()
        report.time = Date().timeIntervalSince1970
        report.process = process()
        report.turnedAway = doors.isEmpty ? nil : ConnectionLog.failures(of: doors)
        report.shards = reports.values.sorted { $0.shard < $1.shard }
        return report
    }

    private func start(_ shards: [Shard], _ sockets: [Socket]) {
        steps = shards.map(\.step)
        for (shard, socket) in zip(shards, sockets) {
            let inbox = Inbox<SnapshotRequest?>()
            wanted.append(inbox)
            // The shard and its socket move to the thread, and nobody else touches them from here on.
            nonisolated(unsafe) let owner = ShardThread(
                ShardDesk(shard, write: write), socket, wanted: inbox, notes: notes)
            threads.append(RoleThread("shard-\(shard.options.shard)") { owner.run() })
        }
    }

    private func serve(_ link: SchedulerLink) throws {
        var poller = Poller([], link.arrivals, notes)
        while true {
            poller.wait(.milliseconds(200))
            for note in notes.take() {
                switch note {
                case .tell(let control): link.send(control)
                case .step(let shard, let step): steps[shard % steps.count] = step
                case .report(let report): reports[report.shard] = report
                }
            }
            tell(link)
            for control in try link.receive() {
                switch control {
                case .snapshot(let request): for inbox in wanted { inbox.post(request) }
                case .stop(let stop):
                    options.told(stop.reason)
                    return
                default: break
                }
            }
            link.note(step: steps.min() ?? 0, "serving")
        }
    }

    /// Once a second, when every shard has told.
    private func tell(_ link: SchedulerLink) {
        let now = ContinuousClock.now
        guard reports.count == threads.count else { return }
        if let reported, reported.duration(to: now) < .seconds(1) { return }
        reported = now
        var report = report
        report.waits = link.waits(at: now)
        link.send(.counters(report))
    }

    private func stopThreads() {
        for inbox in wanted { inbox.post(nil) }
        for thread in threads { try? thread.join() }
        for case .report(let report) in notes.take() { reports[report.shard] = report }
        wanted = []
        threads = []
    }
}
