import Telemetry
import Transport
import Wire

/// How nodes join, how a restarted one takes its place again, and how the job starts.
extension SchedulerLoop {
    /// Silence after which a node that has not been welcomed is gone: it says hello once a second.
    static let helloSilence = Duration.seconds(5)

    mutating func admit(_ hello: Hello, _ connection: [UInt8], _ peer: Socket.Peer, _ incarnation: UInt32) {
        if let reason = unfitness(of: hello) {
            refuse(hello, connection, reason)
            return
        }
        switch phase {
        case .gathering, .running: break
        case .stopping, .ended:
            turnAway(hello, connection)
            return
        }
        let state = look(hello)
        let candidate = Membership.Entry(
            hello: Addresses.placed(hello, seenFrom: peer.address), connection: connection, incarnation: incarnation,
            peer: peer, heard: now, isLocal: state != .unknown && state != .gone)
        var isReplaceable: ((Membership.Entry) -> Bool?)?
        // Once the job has started, a death ends it: nobody takes a place any more.
        if case .gathering = phase { isReplaceable = { [look, now] in Self.isGone($0, look, at: now) } }
        switch members.admit(candidate, isGone: isReplaceable) {
        case .refused(let reason): refuse(hello, connection, reason)
        case .undecided: break
        case .known(let member):
            members.entries[member]?.heard = now
            // Who still says hello has not got its welcome.
            repeatAll(to: member)
            tellWhoIsMissing(connection)
        case .joined(let member):
            effects.events.append(.joined(member, hello))
            tellWhoIsMissing(connection)
        case .replaced(let member, let old):
            let places = old.host == hello.host ? ("", "") : (" on \(hello.host)", " on \(old.host)")
            effects.events.append(
                .restarted(
                    member, hello,
                    "\(member) restarted: process \(hello.pid)\(places.0) takes the place of \(old.pid)\(places.1)"))
        }
        startIfComplete()
    }

    /// Why a node cannot be part of this job whatever its rank; nil when it can.
    private func unfitness(of hello: Hello) -> String? {
        if let job = hello.job, !options.name.isEmpty, job != options.name {
            return
                "it was started for job '\(job)', and this scheduler runs job '\(options.name)': it was given another "
                + "cluster's address"
        }
        if hello.role == .server, hello.endpoints.count != options.shardsPerServer {
            return "it has \(hello.endpoints.count) shards, the job \(options.shardsPerServer) a server "
                + "(cluster.shards): start it with --shards \(options.shardsPerServer)"
        }
        guard options.version.isEmpty || hello.version == options.version else {
            return "it runs version \(hello.version) of myriad, the scheduler \(options.version): "
                + "run the same release everywhere"
        }
        return nil
    }

    /// A node that waits for its welcome hears that it is known, and for whom it waits.
    private mutating func tellWhoIsMissing(_ connection: [UInt8]) {
        guard case .gathering = phase else { return }
        let missing = missing
        let state = missing.isEmpty ? "starting" : "waiting for \(missing)"
        send(.heartbeat(Heartbeat(step: lastStep, state: state)), to: connection)
    }

    /// Whether a node that has not been welcomed lives no more; nil while nobody can tell.
    private static func isGone(
        _ entry: Membership.Entry, _ look: (Hello) -> ProcessState, at time: ContinuousClock.Instant
    ) -> Bool? {
        if entry.heard + helloSilence < time { return true }
        guard entry.isLocal else { return nil }
        return switch look(entry.hello) {
        case .gone: true
        case .state: false
        case .unknown: nil
        }
    }

    /// Those who joined and are gone while others are still expected.
    var gone: [(member: Member, entry: Membership.Entry)] {
        guard case .gathering = phase else { return [] }
        return members.all.filter { Self.isGone($0.entry, look, at: now) == true }
    }

    /// "server 1 of 2, worker 0 of 2": who has not joined, or did and is gone.
    var missing: String {
        let gone = gone.map { member, entry in
            let count = member.role == .server ? options.servers : options.workers
            return
                "\(member.role) \(member.rank + 1) of \(count) (process \(entry.hello.pid) of \(entry.hello.host) is gone)"
        }
        return (members.missing + gone).joined(separator: ", ")
    }

    /// Starts the job once everybody is there: with one who is gone it would only fail.
    mutating func startIfComplete() {
        guard case .gathering = phase, members.isComplete, gone.isEmpty else { return }
        if let problem = Addresses.unreachable(members) {
            // It is the one to be started in another way: to all others it is only the end.
            send(.stop(Stop(reason: problem.what, isRefusal: true)), to: problem.server)
            take(Evidence(.ownWords, of: problem.server, what: problem.what, cause: .unreachable, at: now))
            return
        }
        phase = .running
        let servers = members.ranked(.server).map(\.entry.hello.endpoints)
        for (member, _) in members.all {
            var welcome = Welcome(
                job: options.job, rank: member.rank, epoch: 1, servers: servers, workers: options.workers,
                config: options.config, resumePath: options.resume, resumeStep: options.plan.startStep,
                dataset: options.dataset.isEmpty ? nil : options.dataset)
            welcome.resetsOptimizer = options.resetsOptimizer ? true : nil
            welcome.serverKeys = members.keys(of: [.server])
            welcome.nodeKeys = members.keys(of: [.server, .worker])
            welcome.incarnations = members.ranked(.worker).map(\.entry.incarnation)
            welcome.silence = options.silence / .seconds(1)
            members.note(member, step: options.plan.startStep, state: "building")
            send(.welcome(welcome), to: member)
        }
        effects.events.append(.started(nodes: members.entries.count, warnings: warnings()))
    }

    /// What makes a cluster less than bit-exact, and what a resumed job does not know any more.
    private func warnings() -> [String] {
        var warnings: [String] = []
        if let known = options.judgement, known.basis != options.basis {
            warnings.append(
                "the best state so far is forgotten: it was chosen by \(known.basis), now it is \(options.basis)")
        }
        let most = options.plan.microBatches(of: 1)
        if options.plan.lastStep > options.plan.startStep, options.workers > most {
            warnings.append(
                "\(options.workers - most) of \(options.workers) workers have nothing to train: a batch has \(most) "
                    + "micro-batch\(most == 1 ? "" : "es"); use fewer workers, or a smaller train.micro_batch")
        }
        let kinds = Set(members.entries.values.map { "\($0.hello.processor), \($0.hello.blas)" })
        guard kinds.count > 1 else { return warnings }
        return warnings + [
            "mixed processors (\(kinds.sorted().joined(separator: "; "))): results are not bit-exact across them"
        ]
    }
}
