import Display
import Foundation
import Telemetry
import Tensors
import Transport
package import Wire

/// Where commands that only look get a job's status: its scheduler while it runs, its run directory otherwise.
package final class StatusSource {
    /// How long a scheduler may take to answer.
    private static let patience = Duration.seconds(2)

    /// The run directory, if one was named or the scheduler told it and it is on this machine.
    package private(set) var directory: String?
    /// The scheduler's endpoint; empty when only files are left.
    package private(set) var endpoint = ""
    private let access: Access
    private var door: (context: Transport.Context, key: PublicKey?)?
    private let nothing = Inbox<Int>()
    private var socket: Socket?
    /// The address that was asked for, if it was no directory.
    private let given: String?
    private var files = RunFiles()

    /// - Parameters:
    ///   - target: a scheduler's endpoint (`tcp://host:port`), a run directory, or nil for the newest run in `runs`.
    ///   - access: by what the scheduler is asked; a run's directory may hold keys of its own.
    package init(_ target: String?, access: Access = Access()) throws {
        self.access = access
        given = try target.flatMap { try Self.address($0) }
        if let given {
            endpoint = given
            return
        }
        guard let path = target ?? Self.newestRun() else {
            throw Complaint.data(
                "runs/ holds no run: name a run directory or the scheduler's address (tcp://host:port)")
        }
        directory = path
        guard let status = files.status(in: path) else {
            throw Complaint.data(
                "\(path): holds no readable status.json: it is no run directory, or one of an older version "
                    + "(\(files.problem))")
        }
        endpoint = address(of: status)
    }

    /// The endpoint that a target names; nil when it names a directory.
    private static func address(_ target: String) throws(TransportError) -> String? {
        if target.contains("://") { return "\(try Endpoint(target))" }
        guard !FileManager.default.fileExists(atPath: target) else { return nil }
        return (try? Endpoint(target)).map { "\($0)" }
    }

    /// Whom to ask: nobody when the job is over; whoever resumes it has another address.
    private func address(of status: ClusterStatus) -> String {
        given ?? (status.isOver ? "" : status.job.scheduler)
    }

    /// Whether it comes from a scheduler that answers rather than from files.
    package private(set) var isLive = false
    /// Whether the run has been given up for a scheduler that is gone: it says it failed, and may be continued.
    package private(set) var isAbandoned = false
    /// The newest that a scheduler answered.
    private var last: ClusterStatus?
    /// A scheduler that answered a moment ago and does not leave files here is given up sooner.
    private static let remotePatience = 10.0

    /// The newest status, and the points of its curves after a time.
    package func read(seriesSince time: Double? = nil) throws -> Inspection {
        if !endpoint.isEmpty,
            let answer = try ask(
                .inspect(Inspect(seriesSince: time)), within: Self.patience,
                { if case .inspected(let inspection) = $0 { inspection } else { nil } })
        {
            (isLive, isAbandoned, last) = (true, false, answer.status)
            if directory == nil, FileManager.default.fileExists(atPath: answer.status.job.directory + "/status.json") {
                directory = answer.status.job.directory
            }
            return answer
        }
        isLive = false
        let now = Date().timeIntervalSince1970
        guard let directory else {
            let closed = last.flatMap { Abandonment.closed($0, at: now, patience: Self.remotePatience) }
            isAbandoned = closed != nil
            if let closed { return Inspection(status: closed, series: []) }
            throw Complaint(
                "the scheduler at \(endpoint) does not answer: \(silence.why). "
                    + "A finished run is shown by its directory", silence.cause)
        }
        guard let status = files.status(in: directory) else {
            throw Complaint.data("\(directory)/status.json: cannot be read: \(files.problem)")
        }
        let next = address(of: status)
        if next != endpoint { (endpoint, socket, door) = (next, nil, nil) }
        let closed = Abandonment.closed(status, at: now)
        isAbandoned = closed != nil
        let series = time.map { after in files.series(in: directory).filter { $0.time > after } }
        return Inspection(status: closed ?? status, series: series ?? [])
    }

    private static func newestRun() -> String? {
        let runs = ((try? Files.names(in: "runs")) ?? []).map { "runs/\($0)" }
        let known = runs.compactMap { run in
            (try? Files.stamp(run + "/status.json")).map { (run: run, changed: $0?.modified ?? 0) }
        }
        return known.filter { $0.changed > 0 }.max { $0.changed < $1.changed }?.run
    }

    /// Has a worker of a live job measure its ways to the shards; nil when no answer comes.
    package func probe(worker: Int) throws -> ProbeResult? {
        let wish = ProbeWish(number: .random(in: 1...UInt32.max), worker: worker)
        return try ask(.probeWish(wish), within: .seconds(12)) {
            if case .probeResult(let result) = $0, result.number == wish.number { result } else { nil }
        }
    }

    private func ask<Answer>(
        _ question: Control, within patience: Duration, _ answer: (Control) -> Answer?
    ) throws -> Answer? {
        let socket = try socket ?? connect()
        self.socket = socket
        let header = Header(
            .inspect, role: .monitor, rank: 0, incarnation: .random(in: 1...UInt32.max), job: 0, epoch: 0)
        socket.send(question.message(header))
        var poller = Poller([socket], nothing)
        let deadline = ContinuousClock.now + patience
        while .now < deadline {
            poller.wait(.milliseconds(100))
            var newest: Answer?
            var budget = TurnBudget()
            while let received = socket.receive(within: &budget) {
                guard case .message(let message, _) = received,
                    let control = try? Control(decoding: message, limits: Limits()), let found = answer(control)
                else { continue }
                newest = found
            }
            if let newest { return newest }
        }
        silence = why(socket)
        // A late answer to this question must not pass for one to the next.
        self.socket = nil
        return nil
    }

    private func connect() throws -> Socket {
        let address = try Endpoint(endpoint)
        let own = directory.map { KeyDirectory($0 + "/keys") }
        let door = try door ?? access.node(to: address, else: own?.exists == true ? own : nil)
        self.door = door
        return try Socket.connect(to: endpoint, in: door.context, key: door.key)
    }

    /// Why the last question was not answered.
    private var silence = (why: "is it running, and is the address right?", cause: FailureReport.Cause.unreachable)

    private func why(_ socket: Socket) -> (why: String, cause: FailureReport.Cause) {
        guard let counts = socket.log?.counts, let address = try? Endpoint(endpoint) else { return silence }
        if counts.count(.unknownKey) > 0, let key = socket.identity {
            return (
                "it does not allow the key \(key) (`myriad keys allow \(key) --role monitor` on its machine)", .keys
            )
        }
        // Who hangs up first is chance: then what the other side announces tells which of both encrypts.
        let announced = counts.handshakes == 0 ? Reachability.mechanism(of: address) : nil
        if counts.count(.plaintext) > 0 || announced == (door?.key == nil ? "CURVE" : "NULL") {
            return door?.key == nil
                ? ("it encrypts: give the directory of keys with --keys", .keys)
                : ("it does not encrypt: ask it without keys", .keys)
        }
        if counts.handshakes == 0, counts.count(.abandoned) > 1, door?.key != nil {
            return ("it hangs up on every handshake: scheduler.pub is not its key", .keys)
        }
        return (
            counts.handshakes > 0 ? "the connection stands, but nothing comes" : Reachability.explain(address),
            .unreachable
        )
    }
}

/// What a run left in its directory, read again only when a file has changed: who looks every second at a run that is over
/// does not read its whole record every second.
struct RunFiles {
    /// How often a file was read.
    private(set) var reads = 0
    /// Why the last status that was asked for cannot be read.
    private(set) var problem = ""
    private var status = (stamp: Files.Stamp?.none, content: ClusterStatus?.none)
    private var series = (stamp: Files.Stamp?.none, content: [SeriesPoint]())

    /// The status that a run left, or leaves every few seconds; nil when it cannot be read.
    mutating func status(in directory: String) -> ClusterStatus? {
        let path = directory + "/status.json"
        let stamp = try? Files.stamp(path)
        guard stamp == nil || stamp != status.stamp else { return status.content }
        reads += 1
        status = (stamp, nil)
        do {
            status.content = try TelemetryJSON.decode(ClusterStatus.self, from: try Files.read(path, limit: .max))
        } catch {
            problem = stamp == nil ? "there is none" : TelemetryJSON.problem(error)
        }
        return status.content
    }

    /// The curves, oldest first.
    mutating func series(in directory: String) -> [SeriesPoint] {
        let stamp = try? Files.stamp("\(directory)/\(Record.file)")
        if stamp == nil || stamp != series.stamp {
            reads += 1
            // Of before it was read: what is added meanwhile is read the next time.
            series = (stamp, Record.series(in: directory))
        }
        return series.content
    }
}
