import Telemetry
import Testing
import Wire

@testable import Scheduler

/// Who is blamed when several signs of failure come within a moment.
@Suite struct EvidenceTests {
    private let start = ContinuousClock.now

    private func loop() -> SchedulerLoop {
        let plan = JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .never)
        let options = SchedulerOptions(
            job: 5, servers: 1, shardsPerServer: 1, workers: 2, config: "", plan: plan, splits: [:], validation: nil,
            test: nil, checkpoints: nil)
        var loop = SchedulerLoop(options, at: start)
        var effects = SchedulerLoop.Effects()
        for (number, (role, rank)) in [(Role.server, 0), (.worker, 0), (.worker, 1)].enumerated() {
            let hello = Hello(
                role: role, wantedRank: rank, endpoints: role == .server ? ["inproc://s"] : [], host: "h",
                pid: 100 + number, processor: "p", blas: "b", version: "1")
            let header = Header(.hello, role: role, rank: UInt16(rank), incarnation: 1, job: 0, epoch: 0)
            loop.now = start
            loop.receive(Control.hello(hello).message(header), from: [UInt8(number)])
            effects.take(from: &loop)
        }
        return loop
    }

    private func report(_ signs: [Evidence], _ loop: inout SchedulerLoop) throws -> FailureReport {
        var effects = SchedulerLoop.Effects()
        for sign in signs {
            loop.now = sign.time
            loop.take(sign)
            effects.take(from: &loop)
        }
        loop.now = start + .seconds(1)
        loop.tick()
        effects.take(from: &loop)
        loop.now = start + .seconds(2)
        loop.tick()
        effects.take(from: &loop)
        let reports = effects.events.compactMap { if case .failed(let report) = $0 { report } else { nil } }
        #expect(reports.count == 1)
        return try #require(reports.first)
    }

    @Test("own words win over an earlier death, and the log of the same node is added to them")
    func ownWords() throws {
        let worker = Member(role: .worker, rank: 1)
        var died = Evidence(.died, of: worker, what: "worker 1 exited with code 70", at: start)
        died.log = "w.log"
        died.lastLines = ["last"]
        let words = Evidence(
            .ownWords, of: worker, what: "worker 1: no space left", at: start + .milliseconds(200))
        var loop = loop()
        let report = try report([died, words], &loop)
        #expect(report.cause == .diskFull && report.first == "worker 1" && report.what == "worker 1: no space left")
        #expect(report.log == "w.log" && report.lastLines == ["last"] && report.pid == 102)
        #expect(report.followers == ["server 0 (told to stop)", "worker 0 (told to stop)"])
    }

    @Test("a death wins over complaints of others, whatever came first")
    func consequence() throws {
        let complaint = Evidence(
            .consequence, of: Member(role: .worker, rank: 0), what: "worker 0: shard 0 refused", at: start)
        let death = Evidence(
            .died, of: Member(role: .server, rank: 0), what: "server 0 was killed by signal 9 (SIGKILL)",
            cause: .killed, at: start + .milliseconds(300))
        var loop = loop()
        let report = try report([complaint, death], &loop)
        #expect(report.first == "server 0" && report.cause == .killed)
    }

    @Test("of two alike the earlier is first, the other one failed the same")
    func earlier() throws {
        let signs = [1, 0].map { rank in
            Evidence(
                .ownWords, of: Member(role: .worker, rank: rank), what: "worker \(rank): no such file",
                at: start + .milliseconds(rank == 1 ? 0 : 100))
        }
        var loop = loop()
        let report = try report(signs, &loop)
        #expect(report.first == "worker 1")
        #expect(report.followers == ["server 0 (told to stop)", "worker 0 (the same)"])
    }

    @Test("a failure is told with its own step, however far others have come by then")
    func ownStep() throws {
        var loop = loop()
        var effects = SchedulerLoop.Effects()
        for step in [2, 3] {
            let failure = Failure(
                role: .worker, rank: 0, step: step, message: "the loss of step \(step) is nan", cause: .diverged)
            let header = Header(.failed, role: .worker, rank: 0, incarnation: 1, job: 5, epoch: 1)
            loop.now = start
            loop.receive(Control.failed(failure).message(header), from: [1])
            effects.take(from: &loop)
        }
        let report = try report([], &loop)
        #expect(report.step == 2 && report.what.contains("the loss of step 2"))
    }

    @Test("who asks for the end is told at once, and what it brings about is no failure")
    func interrupted() throws {
        var loop = loop()
        var effects = SchedulerLoop.Effects()
        loop.now = start
        loop.take(Evidence(.ownWords, of: nil, what: "interrupted", cause: .interrupted, at: start))
        effects.take(from: &loop)
        guard case .failed(let report) = effects.events.last else {
            Issue.record("nothing was told")
            return
        }
        #expect(report.cause == .interrupted && report.exitCode == 130)
    }

    @Test("a process of this machine that is gone is missed long before the silence is over")
    func vanished() {
        let plan = JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .never)
        let options = SchedulerOptions(
            job: 5, servers: 0, shardsPerServer: 1, workers: 1, config: "", plan: plan, splits: [:], validation: nil,
            test: nil, checkpoints: nil)
        let isGone = Flag()
        var loop = SchedulerLoop(options, at: start) { _ in isGone.isSet ? .gone : .state("S") }
        var effects = SchedulerLoop.Effects()
        let hello = Hello(role: .worker, wantedRank: 0, host: "h", pid: 9, processor: "p", blas: "b", version: "1")
        let header = Header(.hello, role: .worker, rank: 0, incarnation: 1, job: 0, epoch: 0)
        loop.now = start
        loop.receive(Control.hello(hello).message(header), from: [1])
        effects.take(from: &loop)
        loop.now = start + .seconds(3)
        loop.tick()
        effects.take(from: &loop)
        #expect(!effects.events.contains { if case .lost = $0 { true } else { false } })
        isGone.isSet = true
        loop.now = start + .seconds(3)
        loop.tick()
        effects.take(from: &loop)
        #expect(effects.events.contains { if case .lost(let member, _) = $0 { member.rank == 0 } else { false } })
    }

    private final class Flag { var isSet = false }
}
