/// How far a job is in its life.
extension ClusterStatus {
    /// Whether the job has ended, one way or the other: its rates and shares are means over training then.
    package var isOver: Bool {
        switch job.state {
        case .waiting, .running: false
        case .finished, .stopped, .failed: true
        }
    }

    /// Seconds from the first step to the end, or to now; 0 before the first step.
    package var trainingSeconds: Double {
        guard job.trainingStarted > 0 else { return 0 }
        return max(0, (job.ended > 0 ? job.ended : time) - job.trainingStarted)
    }
}
