import Tensors
import Wire

/// Which micro-batches are whose.
extension JobPlan {
    /// The micro-batches of a step that a worker computes: a contiguous block, empty where there are fewer than workers.
    func block(of worker: Int, among workers: Int, in step: Int) -> Range<Int> {
        Subtree.block(worker, of: workers, over: microBatches(of: step))
    }

    /// The first step after `step` of which a worker owns a micro-batch; nil when there is none.
    func nextStep(of worker: Int, among workers: Int, after step: Int) -> Int? {
        // Full steps and the last one of an epoch differ; who has nothing in both never has.
        let last = block(of: worker, among: workers, in: stepsPerEpoch)
        if last.isEmpty, Subtree.block(worker, of: workers, over: microBatches(over: batch)).isEmpty { return nil }
        var next = step + 1
        while next <= lastStep {
            if !block(of: worker, among: workers, in: next).isEmpty { return next }
            // All steps of an epoch but its last have the same number of micro-batches.
            let end = (epoch(of: next) + 1) * stepsPerEpoch
            next = next < end ? end : next + 1
        }
        return nil
    }
}
