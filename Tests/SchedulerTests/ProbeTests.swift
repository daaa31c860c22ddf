import Telemetry
import Testing
import Wire

@testable import Scheduler

/// How questions for speeds are passed on, with two workers and a server.
@Suite struct ProbeTests {
    private struct Setting {
        var loop: SchedulerLoop
        var now = ContinuousClock.now

        init(joining: Bool = true) {
            let plan = JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .perEpoch(1))
            loop = SchedulerLoop(
                SchedulerOptions(
                    job: 5, servers: 1, shardsPerServer: 1, workers: 2, config: "seed: 1", plan: plan, splits: [:],
                    validation: nil, test: nil, checkpoints: nil), at: now)
            guard joining else { return }
            for (role, rank) in [(Role.server, 0), (.worker, 0), (.worker, 1)] {
                let hello = Hello(
                    role: role, wantedRank: rank, endpoints: role == .server ? ["inproc://s"] : [], host: "h",
                    pid: rank, processor: "p", blas: "b", version: "1")
                _ = send(.hello(hello), from: [role.rawValue, UInt8(rank)])
            }
        }

        /// What is sent to whom upon a message.
        mutating func send(_ control: Control, from connection: [UInt8]) -> [(to: [UInt8], control: Control)] {
            var effects = SchedulerLoop.Effects()
            let header = Header(control.kind, role: .monitor, rank: 0, incarnation: 1, job: 0, epoch: 0)
            loop.now = now
            loop.receive(control.message(header), from: connection)
            effects.take(from: &loop)
            return effects.actions.compactMap {
                if case .send(let to, let control, _) = $0 { (to, control) } else { nil }
            }
        }

        /// The wishes that are passed on because time has passed.
        mutating func tick() -> [(to: [UInt8], control: Control)] {
            var effects = SchedulerLoop.Effects()
            loop.now = now
            loop.passOn()
            effects.take(from: &loop)
            return effects.actions.compactMap {
                if case .send(let to, let control, _) = $0 { (to, control) } else { nil }
            }
        }

        mutating func refusal(_ wish: ProbeWish) -> String? {
            guard case (to: [9], control: .probeResult(let result))? = send(.probeWish(wish), from: [9]).first,
                result.number == wish.number, result.worker == wish.worker
            else { return nil }
            return result.refusal
        }
    }

    private let paths = [PathSpeed(shard: 0, endpoint: "inproc://s")]

    @Test("a wish goes to its worker, the answer to who asked, once, and only from that worker")
    func forwards() {
        var setting = Setting()
        let wish = ProbeWish(number: 7, worker: 1)
        let sent = setting.send(.probeWish(wish), from: [9])
        #expect(sent.count == 1 && sent.first?.to == [Role.worker.rawValue, 1])
        #expect(sent.first?.control == .probeWish(wish))
        let answer = ProbeResult(number: 7, worker: 1, paths: paths)
        #expect(setting.send(.probeResult(answer), from: [Role.worker.rawValue, 0]).isEmpty)
        #expect(setting.send(.probeResult(answer), from: [77]).isEmpty)
        let other = ProbeResult(number: 8, worker: 1, paths: paths)
        #expect(setting.send(.probeResult(other), from: [Role.worker.rawValue, 1]).isEmpty)
        let answers = setting.send(.probeResult(answer), from: [Role.worker.rawValue, 1])
        #expect(answers.count == 1 && answers.first?.to == [9] && answers.first?.control == .probeResult(answer))
        #expect(setting.send(.probeResult(answer), from: [Role.worker.rawValue, 1]).isEmpty)
    }

    @Test("a wish that nobody can fulfil is answered with the reason")
    func refuses() {
        var early = Setting(joining: false)
        #expect(early.refusal(ProbeWish(number: 1, worker: 0)) == "the job is not training")
        var setting = Setting()
        #expect(setting.refusal(ProbeWish(number: 1, worker: 2)) == "the job has no worker 2")
        _ = setting.send(.stopped(NodeReport()), from: [Role.worker.rawValue, 1])
        #expect(setting.refusal(ProbeWish(number: 1, worker: 1)) == "worker 1 is lost or has left")
    }

    @Test("one worker measures at a time and rests in between; so many wait, and others are told to come again")
    func bounded() {
        var setting = Setting()
        let worker = [Role.worker.rawValue, 0]
        let others = [Role.worker.rawValue, 1]
        #expect(setting.send(.probeWish(ProbeWish(number: 1, worker: 0)), from: [9]).map(\.to) == [worker])
        for number in 2...17 {
            let wish = ProbeWish(number: UInt32(number), worker: 1)
            #expect(setting.send(.probeWish(wish), from: [UInt8(number / 2 + 10)]).isEmpty)
        }
        for number in 18...100 {
            let reason = setting.refusal(ProbeWish(number: UInt32(number), worker: 1))
            #expect(reason == "16 others wait for theirs: ask again in a few seconds")
        }
        setting.now += .seconds(2)
        #expect(setting.send(.probeResult(ProbeResult(number: 1, worker: 0)), from: worker).map(\.to) == [[9]])
        // Two seconds of measuring are followed by two of rest.
        setting.now += .seconds(1.9)
        #expect(setting.tick().isEmpty)
        setting.now += .seconds(0.2)
        #expect(setting.tick().map(\.to) == [others])
        // A worker that does not answer, and who has given up, are forgotten.
        for number: UInt32 in 101...102 {
            #expect(
                setting.send(.probeWish(ProbeWish(number: number, worker: 1)), from: [9]).isEmpty == (number == 101))
        }
        setting.now += .seconds(13)
        #expect(setting.tick().isEmpty)
        #expect(setting.send(.probeWish(ProbeWish(number: 200, worker: 0)), from: [9]).map(\.to) == [worker])
    }
}
