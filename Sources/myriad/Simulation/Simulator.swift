import Kernels
import Scheduler
import Server
import Telemetry
import Transport
import Wire

/// Runs simulated clusters by seed, and compares each with the undisturbed run of the same plan.
///
/// Pure state machines and simulated time: a seed gives the same run on every machine of the same kind.
final class Simulator: Sendable {
    /// What came of a seed.
    struct Verdict: Sendable {
        /// What the seed made of the cluster.
        let scenario: Scenario
        /// What is wrong; nil when the run ended as it has to.
        let problem: String?
        /// Seconds of simulated time, and things that happened in it.
        let seconds: Double
        let events: Int
        /// The step after which the job ended.
        let step: Int
        /// A number that two runs of the same seed share.
        let trace: UInt64
    }

    /// An undisturbed run: the digest of every state, and the metrics.
    private typealias Reference = (digests: [Int: UInt64], metrics: [String: Metrics])

    private let job: SimulatedJob
    private let references: [Reference]

    /// Makes the data and trains every plan undisturbed.
    init() throws {
        useOneBLASThread()
        let job = try SimulatedJob()
        self.job = job
        references = try SimulatedJob.plans.indices.map { try Self.reference(job, plan: $0) }
    }

    private static func reference(_ job: SimulatedJob, plan: Int) throws -> Reference {
        let run = Simulation(job, Scenario(plan: plan), seed: 0)
        defer { run.release() }
        var digests: [Int: UInt64] = [:]
        run.advanced = { shard in
            guard digests[shard.step] == nil, let state = try? ShardState(shard) else { return }
            digests[shard.step] = ShardState.digest([state])
        }
        run.run()
        guard case .finished = run.scheduler.end else {
            throw Problem(
                description: "plan \(plan) does not end undisturbed: \(String(describing: run.scheduler.end))")
        }
        return (digests, run.scheduler.metrics)
    }

    /// Runs a seed.
    func run(seed: UInt64) -> Verdict {
        let scenario = Scenario(seed: seed)
        let run = Simulation(job, scenario, seed: seed)
        defer { run.release() }
        run.run()
        let step = run.servers.first?.desks.first?.shard.step ?? 0
        return Verdict(
            scenario: scenario, problem: problem(run, references[scenario.plan]),
            seconds: run.timeline.elapsed / .seconds(1), events: run.timeline.count, step: step,
            trace: UInt64(bitPattern: Int64(run.timeline.elapsed / .nanoseconds(1))) &* 31 &+ UInt64(run.timeline.count)
        )
    }

    /// What is wrong with how a run ended.
    private func problem(_ run: Simulation, _ reference: Reference) -> String? {
        // Stopped before all had come: who comes later finds nobody.
        if case .stopped(let outcome) = run.scheduler.end, outcome.reason.contains("before the first step") {
            return nil
        }
        for node in run.nodes { if let failure = node.failure { return "a \(node.role) failed: \(failure)" } }
        if let hoard = run.hoard { return hoard }
        guard run.isOver, let end = run.scheduler.end else { return "it hangs: \(standing(run))" }
        let last: Int
        switch end {
        case .failed(let what): return "the job failed: \(what)"
        case .finished(let outcome):
            last = outcome.step
            if last != run.plan.lastStep { return "it finished after step \(last), not \(run.plan.lastStep)" }
            if run.scenario.stop == nil, run.nodes.contains(where: { $0.wasDone == false && $0.wasAnswered }) {
                return "a node takes a finished job for unfinished"
            }
        case .stopped(let outcome):
            last = outcome.step
            if run.scenario.stop == nil { return "it stopped unasked after step \(last)" }
        }
        return states(run, after: last, reference) ?? metrics(run, reference)
    }

    private func states(_ run: Simulation, after last: Int, _ reference: Reference) -> String? {
        let shards = run.servers.flatMap(\.desks).map(\.shard)
        // Stopped before all were built.
        guard shards.count == run.scenario.servers * run.scenario.shards else { return nil }
        for shard in shards where shard.step != last {
            return "shard \(shard.options.shard) is after step \(shard.step), the job after \(last)"
        }
        guard let states = try? shards.map(ShardState.init) else { return "a state is not finite" }
        if ShardState.digest(states) != reference.digests[last] { return "other bits after step \(last)" }
        for (step, digest) in run.sealed where digest != reference.digests[step] {
            return "other bits in the checkpoint of step \(step)"
        }
        if run.sealed[last] == nil, !run.scheduler.unwritten.contains(last) { return "no checkpoint of step \(last)" }
        return nil
    }

    private func metrics(_ run: Simulation, _ reference: Reference) -> String? {
        if let what = run.scheduler.repeated { return "\(what) was scored twice" }
        for (what, found) in run.scheduler.metrics where found != reference.metrics[what] {
            return "other metrics of \(what): \(found), undisturbed \(String(describing: reference.metrics[what]))"
        }
        return nil
    }

    private func standing(_ run: Simulation) -> String {
        let nodes = run.nodes.map { "\($0.role) \($0.session.activity)\($0.hasLeft ? " has left" : "")" }
        return "end \(String(describing: run.scheduler.end)); " + nodes.joined(separator: ", ")
            + "; scheduler waits for "
            + run.scheduler.loop.waits.reports(at: run.timeline.now).map(\.name).joined(separator: ", ")
    }
}
