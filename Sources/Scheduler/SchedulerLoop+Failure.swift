import Telemetry
package import Transport
import Wire

/// How a job fails: signs are gathered for a moment, the most telling one names who was first, all others followed.
extension SchedulerLoop {
    /// Signs within this time of the first are weighed against each other.
    static let moment = Duration.milliseconds(500)
    /// Refusals that are told in a job.
    static let mostRefusals = 100
    /// Silence after which a process of this machine is looked for.
    static let lookAfter = Duration.seconds(2)

    /// Takes a sign of failure from whoever sees one: a node, a launcher, this scheduler.
    package mutating func take(_ sign: Evidence) {
        if case .ended = phase { return }
        // Who was told to leave in order has left: how it did is no news.
        if case .stopping(_, hasFailed: false) = phase {
            guard !hasNotBegun, let member = sign.member, members.entries[member]?.report == nil else { return }
        }
        if let member = sign.member, [.died, .vanished, .silence].contains(sign.kind),
            members.entries[member]?.isLost != true
        {
            members.entries[member]?.isLost = true
            effects.events.append(.lost(member, sign.what))
        }
        switch phase {
        case .ended: return
        case .stopping(_, let hasFailed): if hasFailed { evidence.append(sign) }
        case .gathering, .running:
            evidence.append(sign)
            phase = .stopping(since: now, hasFailed: true)
            for (member, entry) in members.all where !entry.isLost {
                send(.stop(Stop(reason: sign.what)), to: member)
            }
            // Who asks for the end is not to be outdone by what it brings about.
            if sign.cause == .interrupted { reportFailure() }
        }
        endWhenAllReported()
    }

    /// A node says that it cannot go on.
    mutating func take(_ failure: Failure, of member: Member) {
        if member.role == .server, let step = failure.checkpoint, let shard = failure.shard {
            take(.unwritten("\(member): \(failure.message)"), of: shard, step, from: member)
            return
        }
        lastStep = max(lastStep, min(failure.step ?? 0, options.plan.lastStep))
        let kind = failure.isConsequence == true ? Evidence.Kind.consequence : .ownWords
        var sign = Evidence(kind, of: member, what: "\(member): \(failure.message)", cause: failure.cause, at: now)
        sign.step = failure.step
        take(sign)
    }

    /// A member sent what cannot be read: if it was numbered it is taken, never comes again, and others wait for it.
    mutating func takeUnreadable(_ kind: MessageKind, _ error: WireError, of member: Member) {
        guard kind.isNumbered else { return }
        let failure = Failure(
            role: member.role, rank: member.rank, message: "it sent what cannot be read: \(error)", cause: .version)
        take(failure, of: member)
    }

    /// Does not take a node in, and says why on both sides.
    mutating func refuse(_ hello: Hello, _ connection: [UInt8], _ reason: String) {
        let host = hello.host.prefix(80)
        let who = "\(hello.role)\(hello.wantedRank.map { " \($0)" } ?? "") on \(host) (process \(hello.pid))"
        send(.stop(Stop(reason: "the scheduler refused: \(reason)", isRefusal: true)), to: connection)
        tellRefusal("\(who) was refused: \(reason)")
        refused += 1
    }

    /// Tells once that somebody was not taken in; of so many only, who come without end are counted.
    ///
    /// - Parameter isCandidate: whether it may be who is missing.
    private mutating func tellRefusal(_ text: String, isCandidate: Bool = true) {
        guard toldRefusals.count < Self.mostRefusals, toldRefusals.insert(text).inserted else { return }
        if isCandidate, refusals.count < 10 { refusals.append(text) }
        effects.events.append(.warning(text))
        if toldRefusals.count == Self.mostRefusals {
            effects.events.append(.warning("further refusals are only counted (turned away, in the status)"))
        }
    }

    /// Connections were turned away before they could say anything; told once a kind and address.
    package mutating func noteTurnedAway(_ refusal: ConnectionLog.Refusal) {
        // Port scanners come and go; what holds a wrong key means to join, and may while nodes are missing.
        var meant: [ConnectionLog.Failure] = [.unknownKey, .wrongServerKey, .plaintext]
        var isGathering = false
        if case .gathering = phase { isGathering = true }
        if isGathering { meant.append(.abandoned) }
        let isMeant = meant.contains(refusal.failure)
        let origin = refusal.address.isEmpty ? "" : " from \(refusal.address)"
        let key = refusal.key.map { " with the key \($0)" } ?? ""
        let text = "a connection\(origin)\(key) was refused: \(refusal.failure.words)"
        if isMeant { tellRefusal(text, isCandidate: isGathering) }
    }

    /// Somebody speaks another version of the protocol.
    package mutating func refuse(protocolVersion version: UInt8, _ connection: [UInt8]) {
        let text =
            "a node was refused: it speaks version \(version) of the protocol, the scheduler "
            + "\(Header.version): run the same release everywhere"
        send(.stop(Stop(reason: text, isRefusal: true)), to: connection)
        tellRefusal(text)
        refused += 1
    }

    mutating func failToStart() {
        let seconds = Int(options.startTimeout / .seconds(1))
        var what = "\(missing) did not join within \(seconds) s"
        // Who was turned away is who is missing.
        if !refusals.isEmpty { what += "; " + refusals.joined(separator: "; ") }
        let cause = refusals.last.map { FailureDiagnosis.cause(of: $0) } ?? .unreachable
        take(Evidence(.missing, of: nil, what: what, cause: cause, at: now))
    }

    mutating func lookForTheSilent() {
        for (member, entry) in members.silent(for: min(Self.lookAfter, options.silence), at: now) {
            let isTooLong = entry.heard + options.silence < now
            guard isTooLong || entry.isLocal else { continue }
            let state = look(entry.hello)
            guard isTooLong || state == .gone else { continue }
            let seconds = Int(entry.heard.duration(to: now) / .seconds(1))
            let (what, cause) = FailureDiagnosis.silence(
                state, pid: entry.hello.pid, host: entry.hello.host, seconds: seconds)
            let kind = state == .gone ? Evidence.Kind.vanished : .silence
            take(
                Evidence(
                    kind, of: member, what: "\(member) \(what); it was last \(entry.state) at step \(entry.step)",
                    cause: cause, at: entry.heard))
        }
    }

    /// Tells who failed first; once.
    mutating func reportFailure() {
        guard !isReported, let first = evidence.min(by: { ($0.kind, $0.time) < ($1.kind, $1.time) }) else { return }
        isReported = true
        let own = evidence.filter { $0.member == first.member }
        let hello = first.member.flatMap { members.entries[$0]?.hello }
        let isVague: (FailureReport.Cause) -> Bool = { $0 == .other || $0 == .killed }
        let cause = isVague(first.cause) ? own.first { !isVague($0.cause) }?.cause ?? first.cause : first.cause
        let pid = hello?.pid ?? own.first { $0.pid != 0 }?.pid ?? 0
        let followers = members.all.map(\.member).filter { $0 != first.member }.map { other in
            guard let sign = evidence.first(where: { $0.member == other && $0.kind < .consequence }) else {
                return "\(other) (told to stop)"
            }
            return sign.cause == first.cause ? "\(other) (the same)" : "\(other) (\(sign.cause.rawValue))"
        }
        effects.events.append(
            .failed(
                FailureReport(
                    time: 0, cause: cause, first: first.member.map { "\($0)" } ?? "scheduler",
                    host: hello?.host ?? own.first { !$0.host.isEmpty }?.host ?? "", pid: pid, what: first.what,
                    log: own.first { !$0.log.isEmpty }?.log ?? "",
                    lastLines: own.first { !$0.lastLines.isEmpty }?.lastLines ?? [], followers: followers,
                    remedy: first.remedy ?? FailureDiagnosis.remedy(cause, what: first.what, pid: pid),
                    step: first.step ?? lastStep)))
    }
}
