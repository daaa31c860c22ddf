package import Telemetry

/// What was "over the last seconds" when a run ended says little of the run: afterwards rates are means over it.
extension ClusterStatus {
    /// Whether the job has ended, one way or the other.
    package var isOver: Bool { job.state == .finished || job.state == .failed }

    /// Seconds from the first step to the end, or to now; 0 before the first step.
    package var trainingSeconds: Double {
        guard job.trainingStarted > 0 else { return 0 }
        return max(0, (job.ended > 0 ? job.ended : time) - job.trainingStarted)
    }

    /// The status itself while the job runs; after its end with the means over the run in the place of all rates and
    /// shares, from the counters.
    package var settled: ClusterStatus {
        let seconds = trainingSeconds
        guard isOver, seconds > 0 else { return self }
        var status = self
        status.job.samplesPerSecond = job.meanSamplesPerSecond
        for index in shards.indices { status.shards[index].average(over: seconds) }
        for index in workers.indices { status.workers[index].average(over: seconds) }
        let busy = status.shards.map(\.busy)
        let mean = busy.reduce(0, +) / Double(max(1, busy.count))
        status.skew.busy = mean > 0 ? (busy.max() ?? 0) / mean : 0
        for index in nodes.indices {
            let process = nodes[index].process
            let lived = (job.ended > 0 ? job.ended : time) - process.started
            status.nodes[index].cores = process.started > 0 && lived > 0 ? process.processorSeconds / lived : 0
        }
        return status
    }
}

extension ShardStatus {
    fileprivate mutating func average(over seconds: Double) {
        pullsPerSecond = Double(report.pulls) / seconds
        pushesPerSecond = Double(report.pushes) / seconds
        pulledRowsPerSecond = Double(report.pulledRows) / seconds
        pushedRowsPerSecond = Double(report.pushedRows) / seconds
        receivedBytesPerSecond = Double(report.receivedBytes) / seconds
        sentBytesPerSecond = Double(report.sentBytes) / seconds
        busy = min(1, report.busySeconds / seconds)
        gather = min(1, report.gatherSeconds / seconds)
        merge = min(1, report.mergeSeconds / seconds)
        update = min(1, report.updateSeconds / seconds)
        write = min(1, report.writeSeconds / seconds)
    }
}

extension WorkerStatus {
    fileprivate mutating func average(over seconds: Double) {
        samplesPerSecond = Double(report.samples) / seconds
        sentBytesPerSecond = Double(report.sentBytes) / seconds
        receivedBytesPerSecond = Double(report.receivedBytes) / seconds
        let all = max(report.seconds, 1e-9)
        read = report.readSeconds / all
        wait = report.waitSeconds / all
        compute = report.computeSeconds / all
        push = report.pushSeconds / all
        let waited = report.waitByShard.reduce(0, +)
        blockedBy = report.waitByShard.map { waited > 0 ? $0 / waited : 0 }
    }
}
