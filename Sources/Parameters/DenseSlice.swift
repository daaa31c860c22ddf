import Kernels
package import Tensors

/// How the dense parameters are updated.
package struct DenseOptions: Codable, Sendable, Equatable {
    /// The method; default adam.
    package var optimizer: OptimizerOptions
    /// How the learning rate falls; default constant.
    package var schedule = ScheduleOptions()
    /// Weight decay: λ of λ/2·|w|² over all trainable parameters; default 0.
    package var l2: Float = 0
    /// How the decay enters the update; auto: coupled for SGD, momentum and FTRL, else decoupled.
    package var mode = RegularizationOptions.Mode.auto
    /// Share of a running statistic that a step keeps; default 0.9, a time of ten steps as in PyTorch.
    package var statisticMomentum: Float = 0.9

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case optimizer, schedule, l2, mode
        case statisticMomentum = "statistic_momentum"
    }

    /// Throws the first setting that makes no sense.
    package func validate() throws(ParametersError) {
        try optimizer.validate(dense: true)
        try schedule.validate()
        try check(
            statisticMomentum >= 0 && statisticMomentum < 1, "statistic_momentum", statisticMomentum,
            "at least 0 and below 1")
        try check(l2 >= 0 && l2.isFinite, "l2", l2, "0 or more")
        try check(
            l2 == 0 || mode != .decoupled || optimizer.kind != .ftrl, "mode", mode.rawValue,
            "coupled with ftrl, whose weights are computed anew from its sums at every update")
    }

    fileprivate var regularization: RegularizationOptions {
        RegularizationOptions(kind: l2 == 0 ? .none : .l2, mode: mode, lambda: l2)
    }
}

extension DenseOptions {
    /// Adam without decay.
    package init() { self.init(optimizer: OptimizerOptions(kind: .adam)) }
}

/// A shard's range of the dense vector: parameters, their optimizer state and running statistics.
///
/// Every element is updated by itself, so the result has the same bits however the vector is cut into slices.
/// Belongs to the shard's thread.
package final class DenseSlice {
    /// The floats of the dense vector that this slice holds; it may begin and end inside a slot.
    package let range: Range<Int>
    /// What was configured.
    package let options: DenseOptions
    /// Floats of optimizer state per weight.
    package let slotsPerWeight: Int
    /// The parameters and statistics, `range.count` floats; padding between slots stays 0.
    package let weights: UnsafeMutablePointer<Float>
    /// Optimizer state, [slotsPerWeight × range.count]: first all first slots, then all second ones.
    package let slots: UnsafeMutablePointer<Float>

    /// Bytes of weights and optimizer state.
    package var bytes: Int { (1 + slotsPerWeight) * range.count * MemoryLayout<Float>.stride }

    /// Updates that the optimizer state has had besides the steps of this job, where it was taken over.
    package var earlierUpdates = 0

    private struct Segment {
        let range: Range<Int>
        let kind: DenseKind
    }

    private let segments: [Segment]
    private let optimizer: Optimizer
    private let regularizer: Regularizer
    private let scaled: UnsafeMutablePointer<Float>
    /// Floats on their way through an update.
    private static let chunk = 2048

    /// A slice of zeros with fresh optimizer state.
    ///
    /// - Throws: `ParametersError.option` when a setting makes no sense.
    package init(layout: ParameterLayout, range: Range<Int>, options: DenseOptions) throws(ParametersError) {
        try options.validate()
        precondition(range.lowerBound >= 0 && range.upperBound <= layout.count, "\(range) reaches beyond the layout")
        self.range = range
        self.options = options
        optimizer = Optimizer(options: options.optimizer, schedule: options.schedule)
        regularizer = Regularizer(options.regularization, with: options.optimizer.kind)
        slotsPerWeight = optimizer.slots(width: 1)
        let count = range.count
        weights = .allocate(capacity: (1 + slotsPerWeight) * max(1, count))
        weights.initialize(repeating: 0, count: (1 + slotsPerWeight) * max(1, count))
        slots = weights + count
        scaled = .allocate(capacity: DenseSlice.chunk)
        segments = layout.entries.compactMap { entry in
            let part = (entry.slot.offset..<entry.slot.offset + entry.slot.count).clamped(to: range)
            guard !part.isEmpty else { return nil }
            return Segment(
                range: part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound, kind: entry.kind)
        }
        resetSlots()
    }

    deinit {
        weights.deallocate()
        scaled.deallocate()
    }

    /// Takes over weights and statistics, `range.count` floats, and forgets all optimizer state.
    package func load(_ values: UnsafePointer<Float>) {
        weights.update(from: values, count: range.count)
        resetSlots()
    }

    /// Applies the gradient sums of one complete global step.
    ///
    /// Trainable: g = scale · sum, decay, optimizer. Statistic: run ← m·run + (1−m)·scale·sum, where sum holds
    /// samples × batch statistic.
    ///
    /// - Parameters:
    ///   - gradient: `range.count` floats, from the slice's own first.
    ///   - scale: 1 / samples of the step.
    ///   - step: from 1.
    /// - Returns: whether all numbers are finite afterwards; else the state is lost.
    @discardableResult
    package func apply(gradient: UnsafePointer<Float>, scale: Float, step: Int) -> Bool {
        let constants = optimizer.constants(step: step, earlier: earlierUpdates)
        for segment in segments {
            switch segment.kind {
            case .trainable:
                let end = segment.range.upperBound
                for first in stride(from: segment.range.lowerBound, to: end, by: DenseSlice.chunk) {
                    update(first..<min(first + DenseSlice.chunk, end), gradient + first, scale: scale, constants)
                }
            case .statistic:
                let (keep, take) = (options.statisticMomentum, (1 - options.statisticMomentum))
                for i in segment.range { weights[i] = keep * weights[i] + take * (gradient[i] * scale) }
            }
        }
        return isFinite
    }

    /// Whether parameters, statistics and optimizer state are finite numbers.
    private var isFinite: Bool { areFinite(weights, count: (1 + slotsPerWeight) * range.count) }

    /// Throws `ParametersError.diverged` when a number is not finite: nobody shall keep such a state.
    package func checkFinite() throws(ParametersError) {
        guard isFinite else { throw .diverged(table: "the dense parameters", id: nil) }
    }

    private func update(_ part: Range<Int>, _ gradient: UnsafePointer<Float>, scale: Float, _ constants: UpdateStep) {
        var row = weights + part.lowerBound
        let count = part.count
        let lambda = regularizer.lambda
        for i in 0..<count { scaled[i] = gradient[i] * scale }
        if lambda > 0, regularizer.isCoupled {
            for i in 0..<count { scaled[i] += lambda * row[i] }
        }
        optimizer.update(&row, scaled, count: 1, width: count, stride: range.count, constants)
        if lambda > 0, !regularizer.isCoupled {
            let factor = regularizer.shrink(lambda, rate: constants.rate)
            for i in 0..<count { row[i] *= factor }
        }
    }

    private func resetSlots() {
        guard slotsPerWeight > 0 else { return }
        slots.update(repeating: 0, count: slotsPerWeight * range.count)
        for segment in segments where segment.kind == .trainable {
            optimizer.initialize(slots + segment.range.lowerBound, width: segment.range.count, stride: range.count)
        }
    }
}
