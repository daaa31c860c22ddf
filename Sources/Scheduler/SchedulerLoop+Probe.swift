import Wire

/// Somebody who waits for what a worker measures.
struct PendingProbe {
    let number: UInt32
    let worker: Int
    let connection: [UInt8]
}

/// How questions for the speed of a worker's ways go to the worker, and its answer back.
extension SchedulerLoop {
    /// Questions that are remembered: who asks gives up after a while, and is forgotten when others have come.
    private static let most = 16

    /// Passes a question on to its worker, or says why it cannot be.
    mutating func forward(
        _ wish: ProbeWish, from connection: [UInt8], at time: ContinuousClock.Instant, _ effects: inout Effects
    ) {
        let name = "worker \(wish.worker)"
        func refuse(_ reason: String) {
            send(
                .probeResult(ProbeResult(number: wish.number, worker: wish.worker, refusal: reason)), to: connection,
                &effects)
        }
        guard case .running = phase else { return refuse("the job is not training") }
        guard wish.worker >= 0, wish.worker < options.workers else { return refuse("the job has no \(name)") }
        let member = Member(role: .worker, rank: wish.worker)
        guard let entry = members.entries[member], !entry.isLost, entry.report == nil
        else { return refuse("\(name) is lost or has left") }
        if probes.count >= Self.most { probes.removeFirst() }
        probes.append(PendingProbe(number: wish.number, worker: wish.worker, connection: connection))
        send(.probeWish(wish), to: member, at: time, &effects)
    }

    /// Passes an answer on to who asked.
    mutating func forward(_ result: ProbeResult, of member: Member, _ effects: inout Effects) {
        let isTheirs: (PendingProbe) -> Bool = {
            member.role == .worker && $0.worker == member.rank && $0.number == result.number
        }
        guard let index = probes.firstIndex(where: isTheirs) else { return }
        var result = result
        result.worker = member.rank
        send(.probeResult(result), to: probes.remove(at: index).connection, &effects)
    }
}
