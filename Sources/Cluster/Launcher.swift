import Foundation
package import Job
package import Scheduler
import Synchronization
import Telemetry
import Transport
import Wire

/// Runs a job as processes of this machine: the scheduler here, every server and worker a child with its own log.
///
/// A child that dies ends the job and is named with the last lines of its log; children end when this process is gone,
/// however it ended (`Orphan`).
package final class Launcher {
    private let job: Job
    private let run: RunDirectory
    private let monitor: Monitor
    private let program: String
    private let access: Access
    private var children: [Child] = []

    private struct Child {
        let name: String
        let process: Process
        let log: String
    }

    /// - Parameters:
    ///   - program: the path of the `myriad` executable.
    ///   - access: with a directory of keys, processes that talk by tcp encrypt.
    package init(
        _ job: Job, run: RunDirectory, monitor: Monitor, program: String, access: Access = Access(environment: [:])
    ) {
        self.access = access
        self.job = job
        self.run = run
        self.monitor = monitor
        self.program = program
    }

    /// Runs the job to its end.
    package func run(resume: String?, started: (SchedulerNode) -> Void = { _ in }) throws {
        monitor.showsNodes = true
        let cluster = job.config.cluster
        // A socket's path has at most 107 bytes: a short one of its own under /tmp.
        let sockets = "/tmp/myriad-\(getpid())"
        if cluster.transport == .ipc {
            try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: sockets) }
        let endpoint = cluster.transport == .ipc ? "ipc://\(sockets)/scheduler" : "tcp://127.0.0.1:*"
        var options = try SchedulerSetup.options(job, checkpoints: run.checkpoints, resume: resume)
        options.name = URL(filePath: run.path).lastPathComponent
        let security = try access.scheduler(on: try Endpoint(endpoint), run: run)
        let scheduler = try SchedulerSetup.node(
            job, options, on: endpoint, in: security.context, allowed: security.allowed, monitor: monitor)
        let keys = security.allowed == nil ? [] : access.keys.map { ["--keys", $0] } ?? []
        started(scheduler)
        for rank in 0..<cluster.servers {
            let listen =
                cluster.transport == .ipc
                ? (0..<cluster.shards).map { "ipc://\(sockets)/server-\(rank)-\($0)" }
                : (0..<cluster.shards).map { _ in "tcp://127.0.0.1:*" }
            try start(
                Member(role: .server, rank: rank),
                ["server", "--scheduler", scheduler.endpoint, "--rank", String(rank), "--checkpoints", run.checkpoints]
                    + keys + listen.flatMap { ["--listen", $0] }, scheduler)
        }
        for rank in 0..<cluster.workers {
            try start(
                Member(role: .worker, rank: rank),
                ["worker", "--scheduler", scheduler.endpoint, "--rank", String(rank)] + keys, scheduler)
        }
        scheduler.run()
        end(hasFailed: monitor.failure != nil)
    }

    private func start(_ member: Member, _ arguments: [String], _ scheduler: SchedulerNode) throws {
        let name = "\(member.role)-\(member.rank)"
        let log = "\(run.logs)/\(name).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment[Orphan.variable] = String(getpid())
        // The launcher says what they need; what it was told itself is not meant for them.
        for name in ["MYRIAD_KEYS", "MYRIAD_LISTEN", "MYRIAD_RANK", "MYRIAD_JOB"] { environment[name] = nil }
        process.environment = environment
        let handle = FileHandle(forWritingAtPath: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        let inbox = scheduler.inbox
        let kills = OutOfMemoryKills()
        process.terminationHandler = { ended in
            guard ended.terminationStatus != 0 || ended.terminationReason != .exit else { return }
            inbox.post(.saw(Launcher.evidence(of: ended, member, log: log, outOfMemoryKills: kills.since)))
        }
        do {
            try process.run()
        } catch {
            throw RunDirectory.Failure(description: "\(program): cannot be started: \(error.localizedDescription)")
        }
        children.append(Child(name: name, process: process, log: log))
    }

    /// What the end of a child says.
    private static func evidence(
        of ended: Process, _ member: Member, log: String, outOfMemoryKills kills: Int
    ) -> Evidence {
        let lines = LogTail.lines(of: log)
        let words = LogTail.ownWords(in: lines)
        let status = Int(ended.terminationStatus)
        var sign: Evidence
        if ended.terminationReason == .uncaughtSignal {
            let death = FailureDiagnosis.death(bySignal: status, outOfMemoryKills: kills, lastLines: lines)
            sign = Evidence(.died, of: member, what: "\(member) \(death.what)", cause: death.cause, at: .now)
        } else if let words {
            let cause = FailureDiagnosis.cause(of: words)
            // Who misses the scheduler is no cause: the scheduler is here.
            let kind = cause == .unreachable ? Evidence.Kind.consequence : .ownWords
            sign = Evidence(kind, of: member, what: "\(member): \(words)", cause: cause, at: .now)
        } else {
            sign = Evidence(.died, of: member, what: "\(member) exited with code \(status)", at: .now)
        }
        sign.host = ProcessInfo.processInfo.hostName
        sign.pid = Int(ended.processIdentifier)
        sign.log = log
        sign.lastLines = lines
        return sign
    }

    /// Waits for the children to leave by themselves, then makes them; after a failure some cannot.
    private func end(hasFailed: Bool) {
        let deadline = ContinuousClock.now + .seconds(hasFailed ? 3 : 10)
        var waits = WaitClock(who: "launcher")
        while .now < deadline {
            let late = children.filter(\.process.isRunning).map(\.name)
            guard !late.isEmpty else { break }
            waits.begin("children", "\(late.joined(separator: ", ")) to end")
            for line in waits.lines() { StandardError.line(line) }
            Thread.sleep(forTimeInterval: 0.02)
        }
        for child in children where child.process.isRunning { kill(child.process.processIdentifier, SIGKILL) }
        for child in children { child.process.waitUntilExit() }
    }
}

/// Ends a child process whose launcher is gone.
package enum Orphan {
    /// The environment variable that names the launcher's process.
    package static let variable = "MYRIAD_LAUNCHER"

    /// Whether this process was launched.
    package static var isWatching: Bool {
        ProcessInfo.processInfo.environment[variable].flatMap { Int32($0) } != nil
    }

    /// Watches the launcher from a thread of its own; does nothing in a process that was not launched.
    package static func watch() {
        guard let text = ProcessInfo.processInfo.environment[variable], let launcher = Int32(text) else { return }
        // Ctrl-C reaches the whole group; the launcher alone decides what it means.
        signal(SIGINT, SIG_IGN)
        let thread = Thread {
            while getppid() == launcher { Thread.sleep(forTimeInterval: 0.25) }
            StandardError.line("the launcher (process \(launcher)) is gone")
            exit(3)
        }
        thread.start()
    }
}
