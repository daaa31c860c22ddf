import Kernels
import Tensors

extension Table {
    /// What one step did to a table.
    package struct Applied: Sendable, Equatable {
        /// λ/2 · Σ |w|²/n over the regularized rows, before the update; for the log, not part of any gradient.
        package var regularization = 0.0
        /// Rows stored for the first time.
        package var inserted = 0
        /// Gradients dropped because their row was refused at the limit.
        package var refused = 0
        /// Whether all that was updated is made of finite numbers; else the state is lost.
        package var isFinite = true
    }

    /// Applies the gradients of one complete global step: regularizes once and updates once every row.
    ///
    /// With g = scale · sum: coupled g += λ/n·w, then the optimizer, then decoupled w −= rate·λ/n·w.
    /// No other row changes by one bit, unless the regularization is `l2`: then every stored row is regularized, so
    /// `apply` must be called at every step, with no rows if need be.
    ///
    /// - Parameters:
    ///   - ids: `count` distinct ids of this shard, none of them 0.
    ///   - gradients: [count × width], sums over the samples of the step.
    ///   - counts: samples of the step that contain each id.
    ///   - scale: 1 / samples of the step.
    ///   - step: from 1, rising from call to call.
    /// - Throws: `ParametersError` at an id that is 0 or foreign; then nothing is changed.
    @discardableResult
    package func apply(
        ids: UnsafePointer<UInt64>, count: Int, gradients: UnsafePointer<Float>, counts: UnsafePointer<UInt32>,
        scale: Float, step: Int
    ) throws(ParametersError) -> Applied {
        try hash(ids, count)
        let (rowsBefore, refusedBefore) = (rowCount, refusedCount)
        let constants = optimizer.constants(step: step, earlier: earlierUpdates)
        find(ids, count)
        admit(ids, count)
        var applied = Applied()
        for first in stride(from: 0, to: count, by: RowBlock.capacity) {
            let end = min(first &+ RowBlock.capacity, count)
            applied.regularization += touch(first, end, of: count, gradients, counts, scale: scale, step: step)
            if !update(constants) { applied.isFinite = false }
        }
        if regularizer.isSweeping { sweep(step: step, constants, &applied) }
        applied.regularization *= 0.5
        applied.inserted = rowCount - rowsBefore
        applied.refused = refusedCount - refusedBefore
        return applied
    }

    /// Fills the block with the rows of ids `first..<end`, counts and steps brought up to date; returns Σ λ/n · |w|².
    private func touch(
        _ first: Int, _ end: Int, of count: Int, _ gradients: UnsafePointer<Float>, _ counts: UnsafePointer<UInt32>,
        scale: Float, step: Int
    ) -> Double {
        let (places, partitions, layout, block, regularizer) = (places.base, partitions, layout, block, regularizer)
        let isCounting = regularizer.counts(atStep: step)
        var loss = 0.0
        var filled = 0
        for i in first..<end {
            let next = i &+ RowBlock.ahead
            if next < count { prefetch(places[next], units: layout.stride) }
            let place = places[i]
            guard place.row < RowIndex.pendingBit else { continue }
            let row = partitions[Int(place.partition)].slab.row(place.row)
            var samples = layout.count(of: row)
            if isCounting {
                let sum = samples.addingReportingOverflow(counts[i])
                samples = sum.overflow ? .max : sum.partialValue
                layout.setCount(samples, of: row)
            }
            layout.setStep(UInt32(truncatingIfNeeded: step), of: row)
            loss += block.set(
                filled, row: row, gradient: gradients + i &* layout.width, scale: scale,
                strength: regularizer.strength(samples, inBatch: counts[i]), isCoupled: regularizer.isCoupled)
            filled &+= 1
        }
        block.count = filled
        return loss
    }

    /// Updates the rows of the block, and shrinks them if the regularization is decoupled; whether they are finite then.
    private func update(_ constants: UpdateStep) -> Bool {
        let width = layout.width
        optimizer.update(block.rows, block.gradients, count: block.count, width: width, stride: width, constants)
        if regularizer.lambda > 0, !regularizer.isCoupled {
            block.shrink { [regularizer] in regularizer.shrink($0, rate: constants.rate) }
        }
        // The rows are in the nearest cache now.
        return (0..<block.count).allSatisfy { areFinite(block.rows[$0], count: width &+ layout.slots) }
    }

    /// Regularizes every stored row that the step did not touch, with a gradient of zero, and adds Σ λ · |w|².
    private func sweep(step: Int, _ constants: UpdateStep, _ applied: inout Applied) {
        let zeros = block.zeros
        var filled = 0
        for local in owned.indices {
            for number in 0..<partitions[local].slab.count {
                let row = partitions[local].slab.row(UInt32(number))
                guard layout.step(of: row) != UInt32(truncatingIfNeeded: step) else { continue }
                applied.regularization += block.set(
                    filled, row: row, gradient: zeros, scale: 0, strength: regularizer.lambda,
                    isCoupled: regularizer.isCoupled)
                filled += 1
                guard filled == RowBlock.capacity else { continue }
                block.count = filled
                if !update(constants) { applied.isFinite = false }
                filled = 0
            }
        }
        block.count = filled
        if !update(constants) { applied.isFinite = false }
    }
}
