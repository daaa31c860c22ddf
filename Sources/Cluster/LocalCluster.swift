import Foundation
package import Job
package import Scheduler
import Server
import Telemetry
import Transport
import Wire
import Worker

/// All roles of a job as threads of this process, linked by `inproc` sockets: the same code as a cluster, to the same bits.
package enum LocalCluster {
    /// Runs a job to its end.
    ///
    /// - Parameters:
    ///   - checkpoints: where they are written; nil for none.
    ///   - resume: a checkpoint to start from.
    ///   - resetsOptimizer: whether its weights alone are taken.
    ///   - started: given the scheduler, so that a signal can end the job.
    package static func run(
        _ job: Job, checkpoints: String?, resume: String? = nil, resetsOptimizer: Bool = false, monitor: Monitor,
        started: (SchedulerNode) -> Void = { _ in }
    ) throws {
        let cluster = job.config.cluster
        // Every socket has a descriptor: of each shard and each inbox, and of each worker one to each shard.
        let shards = cluster.servers * cluster.shards
        let files = 2 * shards + 4 * cluster.servers + cluster.workers * (shards + 4) + 32
        guard Want.hasFiles(files) else {
            throw Complaint.data(
                "\(shards) shards and \(cluster.workers) workers in one process need about \(files) open "
                    + "files: \(Want.files), lower cluster.servers, cluster.shards or cluster.workers, or use `myriad launch`"
            )
        }
        let context = try Context()
        let options = try SchedulerSetup.options(
            job, checkpoints: checkpoints, resume: resume, resetsOptimizer: resetsOptimizer)
        let scheduler = try SchedulerSetup.node(
            job, options, on: "inproc://scheduler", in: context, monitor: monitor)
        // Threads need no address; whoever wants to look does.
        let door = try checkpoints.map { _ in
            let door = try PrivateDirectory()
            try scheduler.listen(also: "ipc://\(door.path)/scheduler")
            monitor.book.announce { $0.scheduler = "ipc://\(door.path)/scheduler" }
            return door
        }
        defer { door?.remove() }
        started(scheduler)
        var threads: [RoleThread] = []
        let inbox = scheduler.inbox
        // A thread that never got as far as its link has no other way to say why.
        @Sendable func tell(_ member: Member, _ error: any Error) {
            let isConsequence = (error as? any FailureCausing)?.isConsequence == true
            inbox.post(
                .saw(
                    Evidence(
                        isConsequence ? .consequence : .ownWords, of: member, what: "\(member): \(error)",
                        cause: FailureReport.Cause(of: error))))
        }
        func start(_ role: Role, _ rank: Int, _ serve: @escaping @Sendable () throws -> Void) {
            threads.append(
                RoleThread("\(role)-\(rank)") {
                    do { try serve() } catch { tell(Member(role: role, rank: rank), error) }
                })
        }
        for rank in 0..<cluster.servers {
            start(.server, rank) {
                let options = NodeOptions(
                    scheduler: "inproc://scheduler", hello: SystemInfo.hello(.server, rank: rank))
                let listen = (0..<cluster.shards).map { "inproc://server-\(rank)-shard-\($0)" }
                _ = try NodeSetup.server(options, listen: listen, in: context, checkpoints: checkpoints ?? "").run()
            }
        }
        for rank in 0..<cluster.workers {
            start(.worker, rank) {
                let options = NodeOptions(
                    scheduler: "inproc://scheduler", hello: SystemInfo.hello(.worker, rank: rank))
                _ = try NodeSetup.worker(options, in: context).run()
            }
        }
        scheduler.run()
        // What ended a thread has reached the scheduler as the reason of the failure.
        for thread in threads { try? thread.join() }
    }
}
