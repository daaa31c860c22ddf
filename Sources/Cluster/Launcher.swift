import Foundation
package import Job
package import Scheduler
import Synchronization
import Transport

/// Runs a job as processes of this machine: the scheduler here, every server and worker a child with its own log.
///
/// A child that dies ends the job and is named with the last lines of its log; children end when this process is gone,
/// however it ended (`Orphan`).
package final class Launcher {
    private let job: Job
    private let run: RunDirectory
    private let monitor: Monitor
    private let program: String
    private var children: [Child] = []

    private struct Child {
        let name: String
        let process: Process
        let log: String
    }

    /// - Parameter program: the path of the `myriad` executable.
    package init(_ job: Job, run: RunDirectory, monitor: Monitor, program: String) {
        self.job = job
        self.run = run
        self.monitor = monitor
        self.program = program
    }

    /// Runs the job to its end.
    package func run(resume: String?, started: (SchedulerNode) -> Void = { _ in }) throws {
        let context = try Context()
        let cluster = job.config.cluster
        // A socket's path has at most 107 bytes: a short one of its own under /tmp.
        let sockets = "/tmp/myriad-\(getpid())"
        if cluster.transport == .ipc {
            try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: sockets) }
        let endpoint = cluster.transport == .ipc ? "ipc://\(sockets)/scheduler" : "tcp://127.0.0.1:*"
        let options = try SchedulerSetup.options(job, checkpoints: run.checkpoints, resume: resume)
        let scheduler = try SchedulerSetup.node(job, options, on: endpoint, in: context, monitor: monitor)
        started(scheduler)
        for rank in 0..<cluster.servers {
            let listen =
                cluster.transport == .ipc
                ? (0..<cluster.shards).map { "ipc://\(sockets)/server-\(rank)-\($0)" }
                : (0..<cluster.shards).map { _ in "tcp://127.0.0.1:*" }
            try start(
                "server-\(rank)",
                ["server", "--scheduler", scheduler.endpoint, "--rank", String(rank), "--checkpoints", run.checkpoints]
                    + listen.flatMap { ["--listen", $0] }, scheduler)
        }
        for rank in 0..<cluster.workers {
            try start(
                "worker-\(rank)", ["worker", "--scheduler", scheduler.endpoint, "--rank", String(rank)], scheduler)
        }
        scheduler.run()
        end()
    }

    private func start(_ name: String, _ arguments: [String], _ scheduler: SchedulerNode) throws {
        let log = "\(run.logs)/\(name).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment[Orphan.variable] = String(getpid())
        process.environment = environment
        let handle = FileHandle(forWritingAtPath: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        let inbox = scheduler.inbox
        process.terminationHandler = { ended in
            guard ended.terminationStatus != 0 || ended.terminationReason != .exit else { return }
            let how =
                ended.terminationReason == .exit
                ? "exited with code \(ended.terminationStatus)" : "was killed by signal \(ended.terminationStatus)"
            inbox.post(
                .abort("\(name) (process \(ended.processIdentifier)) \(how); the end of \(log):\n\(Launcher.tail(log))")
            )
        }
        do {
            try process.run()
        } catch {
            throw RunDirectory.Failure(description: "\(program): cannot be started: \(error.localizedDescription)")
        }
        children.append(Child(name: name, process: process, log: log))
    }

    /// The last lines of a log.
    private static func tail(_ path: String) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty else { return "  (empty)" }
        return text.split(separator: "\n").suffix(8).map { "  \($0)" }.joined(separator: "\n")
    }

    /// Waits for the children to leave by themselves, then makes them.
    private func end() {
        let deadline = ContinuousClock.now + .seconds(10)
        while children.contains(where: { $0.process.isRunning }), .now < deadline {
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

    /// Watches the launcher from a thread of its own; does nothing in a process that was not launched.
    package static func watch() {
        guard let text = ProcessInfo.processInfo.environment[variable], let launcher = Int32(text) else { return }
        // Ctrl-C reaches the whole group; the launcher alone decides what it means.
        signal(SIGINT, SIG_IGN)
        let thread = Thread {
            while getppid() == launcher { Thread.sleep(forTimeInterval: 0.25) }
            FileHandle.standardError.write(Data("the launcher (process \(launcher)) is gone\n".utf8))
            exit(3)
        }
        thread.start()
    }
}
