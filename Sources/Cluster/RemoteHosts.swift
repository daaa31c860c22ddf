import Foundation
package import Job
package import Scheduler
import Telemetry
package import Transport
import Wire

/// Starts the processes of a job on the machines of a hosts file, each through an ssh client of its own.
package struct RemoteHosts: LaunchSite {
    /// What the user may say of it.
    package struct Options: Sendable {
        /// The ssh client, as words of a shell.
        package var ssh = "ssh"
        /// Where the scheduler listens; nil for the address by which this machine reaches the hosts, and a free port.
        package var listen: String?
        /// The program and the working directory, unless the hosts file says otherwise.
        package var program: String
        package var directory: String
        /// Time in which a process has to begin.
        package var wait: Duration
        /// The keys, or whether plaintext may leave this machine; without either, keys are made for the job.
        package var access: Access

        /// Every property in its order.
        package init(
            ssh: String, listen: String?, program: String, directory: String, wait: Duration, access: Access
        ) {
            self.ssh = ssh
            self.listen = listen
            self.program = program
            self.directory = directory
            self.wait = wait
            self.access = access
        }
    }

    /// What keeps ssh from asking, and from waiting for a host that is gone.
    private static let settings =
        "-T -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=3 -o ServerAliveCountMax=2"

    package let endpoint: Endpoint
    /// Which process runs where.
    package let places: [Placement.Place]
    private let hosts: [Member: RemoteHost]
    private let options: Options
    private let shards: Int
    /// This machine, as the hosts are told it, where `endpoint` stands for all of its addresses.
    private let address: String?
    /// Keys for this one job, of the scheduler and of all nodes; nil when others are used, or none.
    private let keys: (scheduler: KeyPair, node: KeyPair)?

    /// Places the processes of a job on the machines of a file.
    package init(_ job: Job, on file: HostFile, _ options: Options) throws {
        let cluster = job.config.cluster
        places = try Placement.place(servers: cluster.servers, workers: cluster.workers, on: file)
        hosts = Dictionary(uniqueKeysWithValues: places.map { ($0.member, $0.host) })
        self.options = options
        shards = cluster.shards
        let wanted = try options.listen.map { try Endpoint($0) }
        if let wanted, !wanted.isWildcard {
            endpoint = wanted
            address = nil
        } else {
            let own = try Self.ownAddress(toward: places.map(\.host), options.ssh, file.path)
            endpoint = wanted ?? Endpoint(host: own, port: "*")
            address = own
        }
        let makesKeys =
            options.access.keys == "-"
            || options.access.keys == nil && !options.access.isInsecure && !endpoint.isLocal
        keys = makesKeys ? (scheduler: try KeyPair(), node: try KeyPair()) : nil
    }

    /// The address of this machine by which it reaches the first of the hosts that is not this machine.
    private static func ownAddress(toward hosts: [RemoteHost], _ ssh: String, _ path: String) throws -> String {
        var loopback: String?
        var seen: Set<String> = []
        for host in hosts where seen.insert(host.name).inserted {
            let name = SSHClient.hostName(host, ssh)
            guard let own = Reachability.localAddress(toward: Endpoint(host: name, port: "22")) else {
                throw HostFile.Failure(
                    description: "\(path): no address of this machine leads to \(host.name)"
                        + (name == host.name ? "" : " (\(name))")
                        + ": is it spelled right? If only ssh can reach it, say "
                        + "with --listen where the scheduler listens, by an address that the hosts reach")
            }
            guard Endpoint.isLoopback(own) else { return own }
            loopback = own
        }
        return loopback ?? "127.0.0.1"
    }

    package var patience: Duration? { options.wait }
    package func close() {}
    package func host(of member: Member) -> String { hosts[member]?.name ?? "" }
    package func hasBegun(log: String) -> Bool { Lifeline.process(inLog: log) != nil }

    /// Who runs where, a line for each host.
    package var overview: [String] {
        var lines: [(host: String, members: [String])] = []
        for place in places {
            if let index = lines.firstIndex(where: { $0.host == place.host.name }) {
                lines[index].members.append("\(place.member)")
            } else {
                lines.append((place.host.name, ["\(place.member)"]))
            }
        }
        return lines.map { "\($0.host): \($0.members.joined(separator: ", "))" }
    }

    /// `endpoint` with a port that is free now, for a scheduler that is started later.
    package func freeEndpoint() throws -> String {
        // It is closed before anybody can connect.
        try Socket.listen(on: "\(endpoint)", in: try Context(isInsecure: true)).endpoint
    }

    /// Whether processes get keys on their standard input.
    package var makesKeys: Bool { keys != nil }

    package func security(_ run: RunDirectory) throws -> SchedulerSecurity {
        guard let keys else { return try options.access.scheduler(on: endpoint, run: run) }
        return try SchedulerSecurity(scheduler: keys.scheduler, list: nil, nodes: [keys.node.publicKey], run: run)
    }

    /// How processes are told of keys, and the scheduler of a dry run.
    package var keyWords: [String] {
        if makesKeys { return ["--keys", "-"] }
        if options.access.directory(for: endpoint) != nil, let directory = options.access.keys {
            return ["--keys", directory]
        }
        return options.access.isInsecure ? ["--insecure"] : []
    }

    // MARK: Commands

    package func command(for member: Member, _ meeting: MeetingPoint) -> MemberProcess.Command {
        // Ctrl-C and a closed terminal reach the whole group, batch systems tell TERM to everybody: the launcher decides.
        var command = MemberProcess.Command(
            "/bin/sh", ["-c", "trap '' HUP INT TERM; exec \(line(for: member, meeting))"])
        // Never in a command line or the environment, which others on either machine could read.
        let secret = keys.map { NodeKeys(node: $0.node, scheduler: $0.scheduler.publicKey).text } ?? ""
        command.input = Data(secret.utf8)
        return command
    }

    /// The command that starts a process, as a shell takes it.
    package func line(for member: Member, _ meeting: MeetingPoint) -> String {
        guard let host = hosts[member] else { return "" }
        let port = host.port.map { " -p \($0)" } ?? ""
        let remote = remoteLine(member, host, meeting)
        return "\(options.ssh) \(Self.settings)\(port) \(ShellWord.quote(host.name)) \(ShellWord.quote(remote))"
    }

    private func remoteLine(_ member: Member, _ host: RemoteHost, _ meeting: MeetingPoint) -> String {
        var words = ["exec"]
        if !host.environment.isEmpty { words += ["env"] + host.environment.map { "\($0.name)=\($0.value)" } }
        words += [host.program ?? options.program, "\(member.role)", "--scheduler", reachable(meeting.scheduler)]
        words += ["--rank", String(member.rank), "--job", meeting.job]
        if member.role == .server { words += ["--shards", String(shards), "--checkpoints", meeting.checkpoints] }
        words += ["--wait", "\(options.wait / .seconds(1))"] + keyWords + ["--lifeline"]
        return "cd \(ShellWord.quote(directory(of: host))) && \(ShellWord.line(words))"
    }

    /// The scheduler's endpoint as the hosts reach it.
    private func reachable(_ scheduler: String) -> String {
        guard let address, let endpoint = try? Endpoint(scheduler), endpoint.isWildcard else { return scheduler }
        return "\(endpoint.at(host: address))"
    }

    /// A shell expands no `~` in quotes; ssh begins in the home directory.
    private func directory(of host: RemoteHost) -> String {
        let directory = host.directory ?? options.directory
        if directory == "~" { return "." }
        return directory.hasPrefix("~/") ? "./" + directory.dropFirst(2) : directory
    }

    package func kill(_ member: Member, log: String) {
        guard let host = hosts[member], let process = Lifeline.process(inLog: log) else { return }
        SSHClient.run("kill -9 \(process.pid)", on: host, options.ssh)
    }

    // MARK: What ends mean

    package func evidence(ofMissing member: Member, log: String) -> Evidence {
        let seconds = Int(options.wait / .seconds(1))
        let said = LogTail.lines(of: log).last.map { ": \($0)" } ?? ""
        var sign = Evidence(
            .died, of: member, what: "\(member) has not begun on \(host(of: member)) within \(seconds) s\(said)",
            cause: .unreachable, at: .now)
        sign.remedy =
            "`\(options.ssh) \(host(of: member)) true` must work from here at once and without a question; give a slow "
            + "host more time with --wait"
        return complete(sign, member, log)
    }

    package func evidence(of end: MemberProcess.End, _ member: Member) -> Evidence {
        let host = host(of: member)
        let lines = LogTail.lines(of: end.log).map { $0.trimmingCharacters(in: .whitespaces) }
        let last = lines.last ?? "it said nothing"
        var sign: Evidence
        if end.isKilled {
            sign = Evidence(
                .died, of: member, what: "the ssh client of \(member) on \(host) was killed by signal \(end.status)",
                cause: .killed, at: .now)
        } else if !hasBegun(log: end.log), LogTail.ownWords(in: lines) == nil {
            let isOfSSH = end.status == SSHClient.ownFailure
            let how = isOfSSH ? "ssh to \(host) failed" : "cannot be started on \(host) (code \(end.status))"
            sign = Evidence(
                .died, of: member, what: "\(member): \(how): \(last)", cause: isOfSSH ? .unreachable : .config, at: .now
            )
            sign.remedy =
                isOfSSH
                ? SSHClient.remedy(last, host: host, options.ssh)
                : "dir= and program= of the hosts file have to be right for that host, and the program the same release "
                    + "as here"
        } else if end.status == SSHClient.ownFailure {
            sign = lost(member, host, SSHClient.lastWords(in: lines))
        } else {
            sign = Evidence(ofCode: end.status, member, lines)
        }
        return complete(sign, member, end.log)
    }

    /// An ssh client that ends with its own code after the process has begun: it lost the host, or the process was killed.
    private func lost(_ member: Member, _ host: String, _ words: String?) -> Evidence {
        guard let words else {
            var sign = Evidence(
                .died, of: member, what: "\(member) was killed by a signal on \(host)", cause: .killed, at: .now)
            sign.remedy =
                "find out who killed it there (`dmesg`, the batch system, another user), then "
                + FailureDiagnosis.continuing
            return sign
        }
        var sign = Evidence(
            .died, of: member, what: "\(member): the ssh connection to \(host) was lost: \(words)", cause: .unreachable,
            at: .now)
        sign.remedy =
            "look whether \(host) is up and the network between is whole, then "
            + FailureDiagnosis.continuing
        return sign
    }

    private func complete(_ evidence: Evidence, _ member: Member, _ log: String) -> Evidence {
        var sign = evidence
        let process = Lifeline.process(inLog: log)
        sign.host = process?.host ?? host(of: member)
        sign.pid = process?.pid ?? 0
        sign.log = log
        sign.lastLines = LogTail.lines(of: log)
        return sign
    }
}
