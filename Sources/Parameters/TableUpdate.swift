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
    }

    /// Applies the gradients of one complete global step: regularizes once and updates once every row.
    ///
    /// With g = scale · sum: coupled g += λ/n·w, then the optimizer, then decoupled w −= rate·λ/n·w (`models.md` 5.4).
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
        let constants = optimizer.constants(step: step)
        find(ids, count)
        admit(ids, count)
        var applied = Applied()
        var first = 0
        while first < count {
            let end = min(first &+ RowBlock.capacity, count)
            touch(first, end, of: count, gradients, counts, scale: scale, step: step)
            applied.regularization += finish(constants)
            first = end
        }
        if regularizer.isSweeping { applied.regularization += sweep(step: step, constants) }
        applied.regularization *= 0.5
        applied.inserted = rowCount - rowsBefore
        applied.refused = refusedCount - refusedBefore
        return applied
    }

    /// Fills the block with the rows of ids `first..<end`: their gradients scaled, their counts and steps brought up
    /// to date.
    private func touch(
        _ first: Int, _ end: Int, of count: Int, _ gradients: UnsafePointer<Float>, _ counts: UnsafePointer<UInt32>,
        scale: Float, step: Int
    ) {
        let (places, partitions) = (places.base, partitions)
        let lines = (layout.stride &* 4 &+ 63) / 64
        let (layout, block, width) = (layout, block, layout.width)
        let isCounting = regularizer.counts(atStep: step)
        var filled = 0
        for i in first..<end {
            let place = places[i]
            let next = i &+ RowBlock.ahead
            if next < count { prefetch(places[next], lines: lines) }
            guard place.row < RowIndex.pendingBit else { continue }
            let row = partitions[Int(place.partition)].slab.row(place.row)
            var samples = layout.count(of: row)
            if isCounting {
                let sum = samples.addingReportingOverflow(counts[i])
                samples = sum.overflow ? .max : sum.partialValue
                layout.setCount(samples, of: row)
            }
            layout.setStep(UInt32(truncatingIfNeeded: step), of: row)
            block.rows[filled] = row
            block.strengths[filled] = regularizer.strength(samples)
            let (source, target) = (gradients + i &* width, block.gradients + filled &* width)
            for c in 0..<width { target[c] = source[c] * scale }
            filled &+= 1
        }
        block.count = filled
    }

    /// Regularizes and updates the rows of the block; returns Σ λ/n · |w|².
    private func finish(_ constants: UpdateStep) -> Double {
        let (block, width, regularizer) = (block, layout.width, regularizer)
        var loss = 0.0
        if regularizer.lambda > 0 {
            for k in 0..<block.count {
                let (row, strength) = (block.rows[k], block.strengths[k])
                loss += Double(strength * squaredNorm(row, width))
                guard regularizer.isCoupled else { continue }
                let gradient = block.gradients + k &* width
                for c in 0..<width { gradient[c] += strength * row[c] }
            }
        }
        optimizer.update(
            block.rows, block.gradients, count: block.count, width: width, stride: width, constants)
        if regularizer.lambda > 0, !regularizer.isCoupled {
            for k in 0..<block.count {
                let factor = regularizer.shrink(block.strengths[k], rate: constants.rate)
                let row = block.rows[k]
                for c in 0..<width { row[c] *= factor }
            }
        }
        return loss
    }

    /// Regularizes every stored row that the step did not touch, with a gradient of zero; returns Σ λ · |w|².
    private func sweep(step: Int, _ constants: UpdateStep) -> Double {
        var loss = 0.0
        block.count = 0
        for local in owned.indices {
            for number in 0..<partitions[local].slab.count {
                let row = partitions[local].slab.row(UInt32(number))
                guard layout.step(of: row) != UInt32(truncatingIfNeeded: step) else { continue }
                let k = block.count
                block.rows[k] = row
                block.strengths[k] = regularizer.lambda
                (block.gradients + k * layout.width).update(repeating: 0, count: layout.width)
                block.count = k + 1
                guard block.count == RowBlock.capacity else { continue }
                loss += finish(constants)
                block.count = 0
            }
        }
        loss += finish(constants)
        block.count = 0
        return loss
    }
}

/// Σ w², eight sums side by side.
private func squaredNorm(_ w: UnsafeMutablePointer<Float>, _ width: Int) -> Float {
    let raw = UnsafeRawPointer(w)
    var sums = SIMD8<Float>(repeating: 0)
    var c = 0
    while c &+ 8 <= width {
        let x = raw.loadUnaligned(fromByteOffset: c &* 4, as: SIMD8<Float>.self)
        sums += x * x
        c &+= 8
    }
    var sum = sums.sum()
    while c < width {
        sum += w[c] * w[c]
        c &+= 1
    }
    return sum
}
