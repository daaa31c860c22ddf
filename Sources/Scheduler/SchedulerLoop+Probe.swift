import Wire

/// How questions for the speed of a worker's ways go to the worker, and its answer back.
extension SchedulerLoop {
    /// Takes a question for its worker, or says why it cannot be answered.
    mutating func forward(_ wish: ProbeWish, from connection: [UInt8]) {
        var reason = obstacle(to: wish)
        if reason == nil, !probes.add(wish, from: connection, at: now) {
            reason = "\(ProbeQueue.most) others wait for theirs: ask again in a few seconds"
        }
        if let reason {
            let refusal = ProbeResult(number: wish.number, worker: wish.worker, refusal: reason)
            send(.probeResult(refusal), to: connection)
        }
        passOn()
    }

    /// Why a worker cannot measure; nil when it can.
    private func obstacle(to wish: ProbeWish) -> String? {
        guard case .running = phase else { return "the job is not training" }
        guard wish.worker >= 0, wish.worker < options.workers else { return "the job has no worker \(wish.worker)" }
        let entry = members.entries[Member(role: .worker, rank: wish.worker)]
        return entry.map { $0.isLost || $0.report != nil } ?? true ? "worker \(wish.worker) is lost or has left" : nil
    }

    /// Passes the next question on to its worker when it is due.
    mutating func passOn() {
        guard let wish = probes.next(at: now) else { return }
        send(.probeWish(wish), to: Member(role: .worker, rank: wish.worker))
    }

    /// Passes an answer on to who asked.
    mutating func forward(_ result: ProbeResult, of member: Member) {
        guard member.role == .worker,
            let connection = probes.answered(result.number, by: member.rank, at: now)
        else { return }
        var result = result
        result.worker = member.rank
        send(.probeResult(result), to: connection)
    }
}
