package import Telemetry
package import Wire

/// What the scheduler tells whoever watches the job: printed, written to `metrics.jsonl`, counted.
package enum SchedulerEvent: Sendable {
    /// The scheduler has waited for something for a while.
    case waiting(WaitReport)
    /// Something is not as it should be, and the job goes on.
    case warning(String)
    /// A node is dead, gone or silent, and how that was seen.
    case lost(Member, String)
    /// A node joined.
    case joined(Member, Hello)
    /// A node joined in the place of a process that is gone, in words.
    case restarted(Member, Hello, String)
    /// Everybody is there; something about the cluster is worth knowing.
    case started(nodes: Int, warnings: [String])
    /// A second has passed: how the members stand, and what the scheduler itself waits for.
    case pulse([MemberPulse], waits: [WaitReport], turnedAway: [String: Int])
    /// A node's counters.
    case counters(Member, NodeReport)
    /// A worker finished its block of a step.
    case progress(worker: Int, Progress)
    /// A split was scored in the state after a step.
    case evaluated(split: String, step: Int, Metrics, isBest: Bool)
    /// A checkpoint is complete.
    case checkpoint(step: Int, path: String, seconds: Double, bytes: Int)
    /// A checkpoint could not be written; the job goes on with the one before.
    case checkpointFailed(step: Int, reason: String)
    /// The job ended as planned, or early by its own rule.
    case finished(Outcome)
    /// The job ended in order before its last step, and can go on from there.
    case stopped(Outcome, StopCause)
    /// The job cannot go on: who was first, and why.
    case failed(FailureReport)

    /// Whether it changes how the nodes stand: whoever watches wants to know how they do before the next second.
    var concernsNodes: Bool {
        switch self {
        case .started, .restarted, .lost, .finished, .stopped, .failed: true
        default: false
        }
    }
}

/// How a member stands.
package struct MemberPulse: Sendable {
    /// Who.
    package let member: Member
    /// What it said of itself when it joined.
    package let hello: Hello
    /// Its address as the scheduler sees it; empty where there is none.
    package let address: String
    /// The starts of its role and rank, this one included.
    package let starts: Int
    /// Its step, and what it does, as it last said.
    package let step: Int
    package let activity: String
    /// Since it was last heard of.
    package let silentSeconds: Double
    /// Whether it has said its last word.
    package let hasLeft: Bool
    /// Whether it is dead, gone or silent.
    package let isLost: Bool
}

/// How a job ended.
package struct Outcome: Sendable {
    /// The last state.
    package var step: Int
    /// Why training ended.
    package var reason: String
    /// The state with the best validation metric, if one was scored.
    package var bestStep: Int?
    /// Its validation metrics.
    package var bestValidation: Metrics?
    /// The test metrics in the best (or last) state.
    package var test: Metrics?
    /// The last words of the nodes.
    package var reports: [Member: NodeReport]
}

extension Outcome {
    /// What a judgement says of the states of a job that has ended.
    package init(step: Int, reason: String, _ judgement: Judgement, reports: [Member: NodeReport] = [:]) {
        self.init(
            step: step, reason: reason, bestStep: judgement.bestStep, bestValidation: judgement.best,
            test: judgement.test, reports: reports)
    }
}
