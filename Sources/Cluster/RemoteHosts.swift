package import Foundation
package import Job
package import Processes
package import Scheduler
import Telemetry
package import Transport
import Wire

/// Starts the processes of a job on the machines of a hosts file, each through an ssh client of its own.
package struct RemoteHosts: LaunchSite {
    /// What keeps ssh from asking, and from waiting for a host that is gone.
    private static let settings =
        "-T -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=3 -o ServerAliveCountMax=2"

    package let endpoint: Endpoint
    /// Which process runs where.
    package let places: [(member: Member, host: RemoteHost)]
    private let hosts: [Member: RemoteHost]
    private let shards: Int
    /// The ssh client, as words of a shell.
    private let ssh: String
    /// The program, and the working directory, unless the hosts file says otherwise.
    private let program: String
    private let directory = FileManager.default.currentDirectoryPath
    /// Time in which a process has to begin.
    let wait: Duration
    private let access: Access
    /// This machine, as the hosts are told it, where `endpoint` stands for all of its addresses.
    private let address: String?
    /// Keys for this one job, of the scheduler and of all nodes; nil when others are used, or none.
    private let keys: (scheduler: KeyPair, node: KeyPair)?

    /// Places the processes of a job on the machines of a file.
    ///
    /// - Parameters:
    ///   - listen: where the scheduler listens; nil for the address by which this machine reaches the hosts, and a free
    ///     port.
    ///   - access: the keys, or whether plaintext may leave this machine; without either, keys are made for the job.
    package init(
        _ job: Job, on file: HostFile, ssh: String, listen: String?, program: String, wait: Duration, access: Access
    ) throws {
        let cluster = job.config.cluster
        places = try file.place(servers: cluster.servers, workers: cluster.workers)
        hosts = Dictionary(uniqueKeysWithValues: places.map { ($0, $1) })
        shards = cluster.shards
        (self.ssh, self.program, self.wait, self.access) = (ssh, program, wait, access)
        let wanted = try listen.map { try Endpoint($0) }
        if let wanted, !wanted.isWildcard {
            endpoint = wanted
            address = nil
        } else {
            let own = try Self.ownAddress(toward: places.map(\.host), ssh, file.path)
            endpoint = wanted ?? Endpoint(host: own, port: "*")
            address = own
        }
        let makesKeys =
            access.keys == "-"
            || access.keys == nil && !access.isInsecure && !endpoint.isLocal
        keys = makesKeys ? (scheduler: try KeyPair(), node: try KeyPair()) : nil
    }

    /// The address of this machine by which it reaches the first of the hosts that is not this machine.
    private static func ownAddress(toward hosts: [RemoteHost], _ ssh: String, _ path: String) throws -> String {
        var loopback: String?
        var seen: Set<String> = []
        for host in hosts where seen.insert(host.name).inserted {
            let name = SSHClient.hostName(host, ssh)
            guard let own = Reachability.localAddress(toward: Endpoint(host: name, port: "22")) else {
                throw Complaint.config(
                    "\(path): no address of this machine leads to \(host.name)"
                        + (name == host.name ? "" : " (\(name))")
                        + ": is it spelled right? If only ssh can reach it, say "
                        + "with --listen where the scheduler listens, by an address that the hosts reach")
            }
            guard Endpoint.isLoopback(own) else { return own }
            loopback = own
        }
        return loopback ?? "127.0.0.1"
    }

    package func close() {}
    /// The name of the machine that a process runs on.
    func host(of member: Member) -> String { hosts[member]?.name ?? "" }
    /// Whether a process has begun, by its log.
    func hasBegun(log: String) -> Bool { Lifeline.process(inLog: log) != nil }

    /// Who runs where, a line for each host.
    package var overview: [String] {
        var seen: Set<String> = []
        return places.map(\.host.name).filter { seen.insert($0).inserted }.map { host in
            let members = places.filter { $0.host.name == host }.map { "\($0.member)" }
            return "\(host): \(members.joined(separator: ", "))"
        }
    }

    /// `endpoint` with a port that is free now, for a scheduler that is started later.
    package func freeEndpoint() throws -> String {
        // It is closed before anybody can connect.
        try Socket.listen(on: "\(endpoint)", in: try Context(isInsecure: true)).endpoint
    }

    /// Whether processes get keys on their standard input.
    package var makesKeys: Bool { keys != nil }

    package func security(_ run: RunDirectory) throws -> SchedulerSecurity {
        guard let keys else { return try access.scheduler(on: endpoint, run: run) }
        return try SchedulerSecurity(scheduler: keys.scheduler, list: nil, nodes: [keys.node.publicKey], run: run)
    }

    /// How processes are told of keys, and the scheduler of a dry run.
    package var keyWords: [String] {
        if makesKeys { return ["--keys", "-"] }
        if access.directory(for: endpoint) != nil, let directory = access.keys {
            return ["--keys", directory]
        }
        return access.isInsecure ? ["--insecure"] : []
    }

    // MARK: Commands

    package func command(for member: Member, _ meeting: MeetingPoint) -> (setup: Child.Setup, given: Data?) {
        // Ctrl-C and a closed terminal reach the whole group, batch systems tell TERM to everybody: the launcher decides.
        let setup = Child.Setup(
            "/bin/sh", ["-c", "trap '' HUP INT TERM; exec \(line(for: member, meeting))"])
        // Never in a command line or the environment, which others on either machine could read.
        let secret = keys.map { NodeKeys(node: $0.node, scheduler: $0.scheduler.publicKey).text } ?? ""
        return (setup, Data(secret.utf8))
    }

    /// The command that starts a process, as a shell takes it.
    package func line(for member: Member, _ meeting: MeetingPoint) -> String {
        guard let host = hosts[member] else { return "" }
        let port = host.port.map { " -p \($0)" } ?? ""
        let remote = remoteLine(member, host, meeting)
        return "\(ssh) \(Self.settings)\(port) \(ShellWord.quote(host.name)) \(ShellWord.quote(remote))"
    }

    private func remoteLine(_ member: Member, _ host: RemoteHost, _ meeting: MeetingPoint) -> String {
        var words = ["exec"]
        if !host.environment.isEmpty { words += ["env"] + host.environment }
        words += [host.program ?? program, "\(member.role)", "--scheduler", reachable(meeting.scheduler)]
        words += ["--rank", String(member.rank), "--job", meeting.job]
        if member.role == .server { words += ["--shards", String(shards), "--checkpoints", meeting.checkpoints] }
        words += ["--wait", "\(wait / .seconds(1))"] + keyWords + ["--lifeline"]
        return "cd \(ShellWord.quote(directory(of: host))) && \(ShellWord.line(words))"
    }

    /// The scheduler's endpoint as the hosts reach it.
    private func reachable(_ scheduler: String) -> String {
        guard let address, let endpoint = try? Endpoint(scheduler), endpoint.isWildcard else { return scheduler }
        return "\(endpoint.at(host: address))"
    }

    /// A shell expands no `~` in quotes; ssh begins in the home directory.
    private func directory(of host: RemoteHost) -> String {
        let place = host.directory ?? directory
        if place == "~" { return "." }
        return place.hasPrefix("~/") ? "./" + place.dropFirst(2) : place
    }

    /// Ends a process that did not leave by itself: to kill the child of this machine is not enough.
    func kill(_ member: Member, log: String) {
        guard let host = hosts[member], let process = Lifeline.process(inLog: log) else { return }
        SSHClient.run("kill -9 \(process.pid)", on: host, ssh)
    }

    // MARK: What ends mean

    /// What it means that a process has not begun in time.
    func evidence(ofMissing member: Member, log: String) -> Evidence {
        let host = host(of: member)
        let said = LogTail.lines(of: log).last.map { ": \($0)" } ?? ""
        return died(
            member, log, "\(member) has not begun on \(host) within \(Int(wait / .seconds(1))) s\(said)", .unreachable,
            "`\(ssh) \(host) true` must work from here at once and without a question; give a slow host more time with "
                + "--wait")
    }

    package func evidence(of end: Child.End, _ member: Member, log: String) -> Evidence {
        let host = host(of: member)
        let lines = LogTail.lines(of: log).map { $0.trimmingCharacters(in: .whitespaces) }
        let last = lines.last ?? "it said nothing"
        func died(_ what: String, _ cause: FailureReport.Cause, _ remedy: String? = nil) -> Evidence {
            self.died(member, log, what, cause, remedy)
        }
        if end.isKilled {
            return died("the ssh client of \(member) on \(host) was killed by signal \(end.status)", .killed)
        }
        let isOfSSH = end.status == SSHClient.ownFailure
        if !hasBegun(log: log), LogTail.ownWords(in: lines) == nil {
            guard !isOfSSH else {
                return died(
                    "\(member): ssh to \(host) failed: \(last)", .unreachable,
                    SSHClient.remedy(last, host: host, ssh))
            }
            return died(
                "\(member): cannot be started on \(host) (code \(end.status)): \(last)", .config,
                "dir= and program= of the hosts file have to be right for that host, and the program the same release as "
                    + "here")
        }
        guard isOfSSH else { return complete(Evidence(ofCode: end.status, member, lines), member, log) }
        // After the process has begun: the client lost the host, or the process was killed.
        guard let words = SSHClient.lastWords(in: lines) else {
            return died(
                "\(member) was killed by a signal on \(host)", .killed,
                "find out who killed it there (`dmesg`, the batch system, another user), then "
                    + FailureDiagnosis.continuing)
        }
        return died(
            "\(member): the ssh connection to \(host) was lost: \(words)", .unreachable,
            "look whether \(host) is up and the network between is whole, then " + FailureDiagnosis.continuing)
    }

    private func died(
        _ member: Member, _ log: String, _ what: String, _ cause: FailureReport.Cause, _ remedy: String?
    ) -> Evidence {
        complete(Evidence(.died, of: member, what: what, cause: cause, remedy: remedy), member, log)
    }

    private func complete(_ evidence: Evidence, _ member: Member, _ log: String) -> Evidence {
        let process = Lifeline.process(inLog: log)
        return evidence.of(process?.pid ?? 0, on: process?.host ?? host(of: member), log)
    }
}
