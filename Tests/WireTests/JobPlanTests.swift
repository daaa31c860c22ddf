import Testing

@testable import Wire

@Suite struct JobPlanTests {
    @Test("the steps of an epoch cover its samples once, the last one short")
    func coverage() {
        let plan = JobPlan(trainSamples: 1000, batch: 256, microBatch: 64, epochs: 3)
        #expect(plan.stepsPerEpoch == 4 && plan.lastStep == 12)
        for epoch in 0..<3 {
            let positions = (1...4).flatMap { Array(plan.positions(of: epoch * 4 + $0)) }
            #expect(positions == Array(0..<1000))
        }
        #expect(plan.microBatches(of: 1) == 4 && plan.microBatches(of: 4) == 4 && plan.positions(of: 4).count == 232)
        #expect(plan.epoch(of: 4) == 0 && plan.epoch(of: 5) == 1)
        #expect(plan.samples(through: 5) == 1256 && plan.samples(through: 8) == 2000)
    }

    @Test("evaluations are spread over the epoch, and the last step is always one")
    func evaluations() {
        var plan = JobPlan(trainSamples: 1000, batch: 100, microBatch: 50, epochs: 2, evaluation: .perEpoch(4))
        #expect((1...20).filter(plan.evaluates(after:)) == [3, 5, 8, 10, 13, 15, 18, 20])
        plan.evaluation = .steps(7)
        #expect((1...20).filter(plan.evaluates(after:)) == [7, 14, 20])
        plan.evaluation = .never
        plan.maxSteps = 6
        #expect((1...6).filter(plan.evaluates(after:)) == [6])
    }

    @Test("the next decision is the first step from there on after which one is due, however far away")
    func decisions() {
        for (samples, epochs, start) in [(1000, 2, 0), (950, 3, 4), (70, 5, 0), (1000, 1, 10), (300, 2, 5)] {
            for evaluation in [
                JobPlan.Evaluation.never, .steps(1), .steps(7), .steps(.max), .perEpoch(0), .perEpoch(1), .perEpoch(3),
                .perEpoch(4), .perEpoch(.max),
            ] {
                let plan = JobPlan(
                    trainSamples: samples, batch: 100, microBatch: 50, epochs: epochs, startStep: start,
                    evaluation: evaluation)
                for step in start...plan.lastStep {
                    let next = (step...plan.lastStep).first { isDue(plan, after: $0) }
                    #expect(plan.decision(from: step) == next, "\(plan) from \(step)")
                    #expect(plan.evaluates(after: step) == isDue(plan, after: step), "\(plan) after \(step)")
                }
            }
        }
        let long = JobPlan(trainSamples: 1 << 40, batch: 1, microBatch: 1, epochs: 1 << 20, evaluation: .never)
        #expect(long.decision(from: 1) == long.lastStep)
    }

    /// Whether an evaluation is due after a step, by the definition of `Evaluation` and no shorter way.
    private func isDue(_ plan: JobPlan, after step: Int) -> Bool {
        guard step > plan.startStep || plan.lastStep == plan.startStep else { return false }
        if step == plan.lastStep { return true }
        switch plan.evaluation {
        case .never: return false
        case .steps(let interval): return step % max(1, interval) == 0
        case .perEpoch(let most):
            let times = min(most, plan.stepsPerEpoch)
            let inEpoch = (step - 1) % plan.stepsPerEpoch + 1
            return inEpoch * times / plan.stepsPerEpoch > (inEpoch - 1) * times / plan.stepsPerEpoch
        }
    }

    @Test("a resumed plan neither repeats nor skips its start")
    func resumed() {
        let plan = JobPlan(
            trainSamples: 1000, batch: 100, microBatch: 50, epochs: 2, startStep: 10, checkpointEvery: 5)
        #expect(plan.lastStep == 20)
        #expect((10...20).filter(plan.checkpoints(after:)) == [15])
        #expect(!plan.evaluates(after: 10))
    }

    @Test("no number of epochs, steps or evaluations overflows, and no step is beyond a header's")
    func extremes() {
        for most in [1 << 40, Int.max] {
            let plan = JobPlan(
                trainSamples: 1000, batch: 100, microBatch: 50, epochs: most, evaluation: .perEpoch(most))
            #expect(plan.lastStep == Int(UInt32.max) - 1)
            #expect(plan.evaluates(after: 7) && plan.samples(through: plan.lastStep) > 0)
            let whole = JobPlan(trainSamples: 1000, batch: most, microBatch: most, epochs: 1)
            #expect(whole.lastStep == 1 && whole.microBatches(of: 1) == 1 && whole.positions(of: 1) == 0..<1000)
        }
        for (partitions, shards) in [(256, 257), (256, 0), (256, -1), (256, Int.max), (0, 1), (3, 1), (1 << 17, 1)] {
            let error = #expect(throws: WireError.self) { try PartitionMap(partitions: partitions, shards: shards) }
            #expect(error?.description.hasPrefix("\(shards) shards cannot share \(partitions) partitions") == true)
        }
    }
}
