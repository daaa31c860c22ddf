package import Foundation
package import Job
package import Processes
package import Scheduler
import Telemetry
package import Transport
import Wire

/// Starts the processes of a job here.
package struct ThisMachine: LaunchSite {
    private let program: String
    private let access: Access
    private let shards: Int
    private let killsBefore = ThisMachine.outOfMemoryKills
    /// Where the sockets lie; nil where processes talk by TCP.
    private let sockets: PrivateDirectory?

    /// - Parameters:
    ///   - program: the path of the `myriad` executable.
    ///   - access: with a directory of keys, processes that talk by tcp encrypt.
    package init(_ job: Job, program: String, access: Access = Access(environment: [:])) throws {
        self.program = program
        self.access = access
        shards = job.config.cluster.shards
        sockets = job.config.cluster.transport == .ipc ? try PrivateDirectory() : nil
    }

    package var endpoint: Endpoint {
        sockets.map { Endpoint(path: "\($0.path)/scheduler") } ?? Endpoint(host: "127.0.0.1", port: "*")
    }
    package func close() { sockets?.remove() }

    package func security(_ run: RunDirectory) throws -> SchedulerSecurity {
        try access.scheduler(on: endpoint, run: run)
    }

    package func command(for member: Member, _ meeting: MeetingPoint) -> (setup: Child.Setup, given: Data?) {
        var arguments = ["\(member.role)", "--scheduler", meeting.scheduler, "--rank", String(member.rank)]
        if access.directory(for: endpoint) != nil, let keys = access.keys { arguments += ["--keys", keys] }
        if member.role == .server {
            arguments += ["--checkpoints", meeting.checkpoints]
            for shard in 0..<shards {
                arguments += [
                    "--listen",
                    sockets.map { "ipc://\($0.path)/server-\(member.rank)-\(shard)" } ?? "tcp://127.0.0.1:*",
                ]
            }
        }
        var setup = Child.Setup(program, arguments)
        var environment = ProcessInfo.processInfo.environment
        // The launcher says what they need; what it was told itself is not meant for them.
        for name in ["KEYS", "LISTEN", "RANK", "JOB", "LIFELINE"] { environment["MYRIAD_" + name] = nil }
        environment[Orphan.variable] = String(getpid())
        setup.environment = environment
        // One of ours does not hear what reaches the whole group, from its first moment: see `Orphan.watch`.
        setup.heldSignals = Orphan.ignored
        return (setup, nil)
    }

    /// How often the kernel's out-of-memory killer has struck since the machine was started.
    private static var outOfMemoryKills: Int {
        SystemInfo.words(in: "/proc/vmstat", after: "oom_kill ").flatMap { Int($0) } ?? 0
    }

    package func evidence(of end: Child.End, _ member: Member, log: String) -> Evidence {
        let lines = LogTail.lines(of: log)
        var sign: Evidence
        if end.isKilled {
            let death = FailureDiagnosis.death(
                bySignal: Int(end.status), outOfMemoryKills: Self.outOfMemoryKills - killsBefore, lastLines: lines)
            sign = Evidence(.died, of: member, what: "\(member) \(death.what)", cause: death.cause)
        } else {
            sign = Evidence(ofCode: end.status, member, lines)
            // Who misses the scheduler is no cause: the scheduler is here.
            if sign.kind == .ownWords, sign.cause == .unreachable { sign.kind = .consequence }
        }
        return sign.of(Int(end.pid), on: ProcessInfo.processInfo.hostName, log)
    }
}

extension Evidence {
    /// What a process says that left with a code: its own words, if its last lines hold some.
    init(ofCode code: Int32, _ member: Member, _ lines: [String]) {
        if let words = LogTail.ownWords(in: lines) {
            self.init(.ownWords, of: member, what: "\(member): \(words)")
            // Where the words are not known, the code tells.
            if cause == .other { cause = [65: .config, 69: .unreachable, 77: .keys][code] ?? .other }
        } else {
            self.init(.died, of: member, what: "\(member) exited with code \(code)")
        }
    }

    /// Of a process with a log.
    func of(_ pid: Int, on host: String, _ log: String) -> Evidence {
        var sign = self
        (sign.pid, sign.host, sign.log, sign.lastLines) = (pid, host, log, LogTail.lines(of: log))
        return sign
    }
}
