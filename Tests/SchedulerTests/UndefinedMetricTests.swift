import Telemetry
import Testing

@testable import Scheduler

/// Splits in which the metric that chooses the best state does not exist.
@Suite struct UndefinedMetricTests {
    @Test("where no state has an AUC, the best is chosen by log loss, and that is said once")
    func oneClass() {
        var job = ScriptedJob(checkpoints: nil, patience: 2)
        job.joinAll()
        var bests: [Bool] = []
        var warnings: [String] = []
        for (step, logit) in [(4, Float(0)), (8, 1), (12, 0.5)] {
            job.reach(step, 0)
            job.reach(step, 1)
            // All are clicks: the higher the logit, the lower the loss.
            for event in job.score("valid", step: step, quality: logit, labels: [1, 1]).events {
                if case .evaluated(_, _, _, let isBest) = event { bests.append(isBest) }
                if case .warning(let text) = event { warnings.append(text) }
            }
            job.score("test", step: step)
        }
        #expect(bests == [true, true, false])
        #expect(warnings.count == 1 && warnings[0].contains("auc of 'valid' is undefined"))
        #expect(job.loop.judgement.bestStep == 8)
    }
}
