import Cluster
import Foundation
import Job
import Server
import Synchronization
import Telemetry
import Testing
import Transport
import Wire
import Worker

@testable import Scheduler

@Suite struct SlowBuildTests {
    /// The states that a worker showed, in the order in which they were first seen.
    private final class Seen: Sendable {
        let states = Mutex<[String]>([])

        func note(_ event: SchedulerEvent) {
            guard case .pulse(let members, _, _) = event else { return }
            states.withLock { states in
                for member in members where !states.contains(member.activity) { states.append(member.activity) }
            }
        }
    }

    @Test("nodes that need several times the silence to build themselves train, and show that they are building")
    func slow() throws {
        let program = try Program()
        try program.prepareWorld()
        let job = try Job(
            ConfigReader.read(
                path: program.directory + "/job.yaml",
                overrides: [
                    "data.directory=\(program.directory)/world", "cluster.silence=1.5", "train.max_steps=5",
                    "cluster.workers=2",
                ]))
        let context = try Context()
        let options = try SchedulerSetup.options(job, checkpoints: nil, resume: nil)
        let seen = Seen()
        let ended = Mutex<SchedulerEvent?>(nil)
        let scheduler = try SchedulerNode(
            options, on: "inproc://slow-build", in: context, commit: { _, _, _ in "" },
            inspect: { _ in .init(status: .init()) },
            watch: { event in
                seen.note(event)
                switch event {
                case .finished, .failed, .stopped: ended.withLock { $0 = event }
                default: break
                }
            })
        let building = 5.0
        var threads = [
            RoleThread("server") {
                let options = NodeOptions(
                    scheduler: "inproc://slow-build", hello: SystemInfo.hello(.server, rank: 0))
                try ServerNode(
                    options, listen: ["inproc://slow-shard"], in: context, process: SystemInfo.process,
                    write: NodeSetup.write
                ) {
                    Thread.sleep(forTimeInterval: building)
                    return try NodeSetup.shards($0, $1, checkpoints: "", tell: $2)
                }.run()
            }
        ]
        for rank in 0..<2 {
            threads.append(
                RoleThread("worker") {
                    let options = NodeOptions(
                        scheduler: "inproc://slow-build", hello: SystemInfo.hello(.worker, rank: rank))
                    try WorkerNode(options, in: context, process: SystemInfo.process) {
                        Thread.sleep(forTimeInterval: rank == 0 ? building : 0)
                        return try NodeSetup.worker($0, tell: $1)
                    }.run()
                })
        }
        scheduler.run()
        for thread in threads { try thread.join() }
        guard case .finished(let outcome)? = ended.withLock({ $0 }) else {
            Issue.record("\(String(describing: ended.withLock { $0 }))")
            return
        }
        #expect(outcome.step == 5)
        #expect(seen.states.withLock { $0 }.contains { $0.hasPrefix("building") })
    }
}
