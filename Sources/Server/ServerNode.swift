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

    /// Where and as what it runs.
    package struct Options: Sendable {
        /// The scheduler's endpoint.
        package var scheduler: String
        /// Where each shard listens; ports may be `*`.
        package var listen: [String]
        /// Who it is; the endpoints are filled in.
        package var hello: Hello
        /// By what the scheduler is known, where this node encrypts.
        package var schedulerKey: PublicKey?
        /// How long a scheduler is waited for that was never heard of.
        package var wait: Duration
        /// Silence of the scheduler that is endured.
        package var silence: Duration
        /// Told when the process is to end.
        package var departure: Departure
        /// Called with the reason when the scheduler ends the job for this node.
        package var told: @Sendable (String) -> Void = { _ in }

        /// Every property in its order.
        package init(
            scheduler: String, listen: [String], hello: Hello, schedulerKey: PublicKey? = nil,
            wait: Duration = .seconds(12), silence: Duration = .seconds(12), departure: Departure = Departure()
        ) {
            self.scheduler = scheduler
            self.listen = listen
            self.hello = hello
            self.schedulerKey = schedulerKey
            self.wait = wait
            self.silence = silence
            self.departure = departure
        }
    }

    private let options: Options
    private let context: Context
    private let build: Build
    private let write: PartWriter
    private let process: () -> ProcessReport
    private let notes = Inbox<ShardNote>()
    private var commands: [Inbox<ShardThread.Command>] = []
    private var threads: [RoleThread] = []
    private var steps: [Int] = []
    private var reports: [Int: ShardReport] = [:]
    private var reported: ContinuousClock.Instant?
    private var doors: [ConnectionLog] = []

    /// A server.
    ///
    /// - Parameters:
    ///   - build: makes its shards when the scheduler has told the map.
    ///   - process: memory, time and handles of the process.
    package init(
        _ options: Options, in context: Context, process: @escaping () -> ProcessReport,
        write: @escaping PartWriter,
        build: @escaping Build
    ) {
        self.options = options
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
        let sockets = try options.listen.map { try Socket.listen(on: $0, in: context) }
        var hello = options.hello
        hello.endpoints = sockets.map(\.endpoint)
        doors = sockets.compactMap(\.log)
        let notes = notes
        OutOfMemory.tell { notes.post(.failed($0, diverged: nil)) }
        let link = try SchedulerLink(
            to: options.scheduler, in: context, key: options.schedulerKey, hello: hello, wait: options.wait,
            silence: options.silence, departure: options.departure)
        defer { link.close() }
        let welcome = try link.join()
        link.note(step: welcome.resumeStep, "building")
        // Until now nobody was let in: the scheduler alone knows who belongs to the job.
        let members = Set((welcome.nodeKeys ?? []).compactMap { PublicKey($0) })
        context.gate.admit { members.contains($0) ? .allowed : .refused }
        if context.identity != nil { for socket in sockets { socket.trustAll() } }
        // Shards answer strangers, too: those must not learn by what the scheduler knows this process.
        var shown = link.identity
        shown.incarnation = .random(in: 1...UInt32.max)
        do {
            start(try build(welcome, shown) { link.note(step: welcome.resumeStep, $0) }, sockets)
        } catch {
            link.send(.failed(Failure(role: .server, rank: welcome.rank, error)))
            throw error
        }
        link.send(.ready(Ready()))
        defer { stopThreads() }
        try serve(link, rank: welcome.rank)
        stopThreads()
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
            let inbox = Inbox<ShardThread.Command>()
            commands.append(inbox)
            // The shard and its socket move to the thread, and nobody else touches them from here on.
            nonisolated(unsafe) let owner = ShardThread(
                ShardDesk(shard, write: write), socket, commands: inbox, notes: notes)
            threads.append(RoleThread("shard-\(shard.options.shard)") { owner.run() })
        }
    }

    private func serve(_ link: SchedulerLink, rank: Int) throws {
        var poller = Poller([], link.arrivals, notes)
        while true {
            poller.wait(.milliseconds(200))
            for note in notes.take() { take(note, link, rank) }
            tell(link)
            for control in try link.receive() {
                switch control {
                case .snapshot(let request): for inbox in commands { inbox.post(.write(request)) }
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

    private func take(_ note: ShardNote, _ link: SchedulerLink, _ rank: Int) {
        switch note {
        case .wrote, .notWritten, .failed:
            if let control = note.control(rank: rank) { link.send(control) }
        case .step(let shard, let step): steps[shard % steps.count] = step
        case .report(let report): reports[report.shard] = report
        }
    }

    private func stopThreads() {
        for inbox in commands { inbox.post(.stop) }
        for thread in threads { try? thread.join() }
        for case .report(let report) in notes.take() { reports[report.shard] = report }
        commands = []
        threads = []
    }
}
