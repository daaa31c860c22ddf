import Tensors

/// What pulls the weights towards zero.
package struct RegularizationOptions: Codable, Sendable, Equatable {
    /// The term of row j in the objective of one step.
    package enum Kind: String, Choice {
        /// Nothing.
        case none
        /// λ/2·|w|² for every stored row at every step, touched or not: a sweep of the table, to compare with.
        case l2
        /// λ/2·|w|² for the rows that occur in the global batch.
        case l2Touched = "l2_touched"
        /// Mini-batch aware: λ/(2·n)·|w|² for the rows that occur in the global batch (DIN paper, eq. 4–7).
        case mba
    }

    /// How the term enters the update.
    package enum Mode: String, Choice {
        /// Coupled for SGD, momentum and FTRL, decoupled for Adagrad and Adam.
        case auto
        /// g += λ/n·w before the optimizer (eq. 7 literally).
        case coupled
        /// w −= rate·λ/n·w after the optimizer; never beyond zero.
        case decoupled
    }

    /// Where n, the number of samples that contain the id, comes from.
    package enum Counts: String, Choice {
        /// Counted over the training data beforehand; an id without a count has n = 1.
        case prepared
        /// Counted as training goes on; the step's own samples included.
        case running
    }

    /// The term; default mba.
    package var kind = Kind.mba
    /// How it enters; default auto.
    package var mode = Mode.auto
    /// λ; default 0.01 (DIN paper, at a batch of 5,000).
    ///
    /// Decoupled wants more: try 0.001 to 100.
    package var lambda: Float = 0.01
    /// Where n comes from; default prepared.
    package var counts = Counts.prepared
    /// Running counts stop growing after this step, say at the end of the first epoch; default 0: never.
    package var freezeAfter = 0

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, mode, lambda, counts
        case freezeAfter = "freeze_after"
    }

    /// Throws the first setting that makes no sense for an optimizer.
    package func validate(with optimizer: OptimizerOptions.Kind) throws(ParametersError) {
        try check(lambda >= 0 && lambda.isFinite, "regularization.lambda", lambda, "0 or more")
        try check(freezeAfter >= 0, "regularization.freeze_after", freezeAfter, "0 or more steps")
        try check(
            kind == .none || mode != .decoupled || optimizer != .ftrl, "regularization.mode", mode.rawValue,
            "coupled with ftrl, whose weights are computed anew from its sums at every update")
    }

    /// The mode with `auto` resolved for an optimizer.
    package func isCoupled(with optimizer: OptimizerOptions.Kind) -> Bool {
        switch mode {
        case .coupled: true
        case .decoupled: false
        case .auto: optimizer != .adagrad && optimizer != .adagradRowwise && optimizer != .adam
        }
    }
}

extension RegularizationOptions {
    /// A term with prepared counts.
    package init(kind: Kind) { self.init(kind: kind, mode: .auto) }
}

/// The regularization of one table, resolved: what the row loop needs to know.
struct Regularizer: Sendable {
    /// λ, or 0 for none.
    let lambda: Float
    /// Whether λ is divided by the row's count.
    let isPerCount: Bool
    /// Whether the term joins the gradient.
    let isCoupled: Bool
    /// Whether rows count their samples.
    let isCounting: Bool
    /// Whether rows that a step does not touch are regularized too.
    let isSweeping: Bool
    private let freezeAfter: Int

    /// Resolves `options` for an optimizer.
    init(_ options: RegularizationOptions, with optimizer: OptimizerOptions.Kind) {
        lambda = options.kind == .none ? 0 : options.lambda
        isPerCount = options.kind == .mba
        isCoupled = options.isCoupled(with: optimizer)
        isCounting = options.counts == .running
        isSweeping = options.kind == .l2 && options.lambda > 0
        freezeAfter = options.freezeAfter
    }

    /// Whether the samples of a step are added to the counts.
    func counts(atStep step: Int) -> Bool { isCounting && (freezeAfter == 0 || step <= freezeAfter) }

    /// α·λ/n, the strength of the term for a row whose id is in `count` samples.
    ///
    /// α (DIN, equation 6) is 0 where no sample of the batch contains the id: a row that was only drawn as a negative.
    @inline(__always)
    func strength(_ count: UInt32, inBatch: UInt32) -> Float {
        isPerCount ? (inBatch > 0 ? lambda / Float(max(count, 1)) : 0) : lambda
    }

    /// What decoupled regularization multiplies the weights by: 1 − rate·λ/n, never below 0.
    @inline(__always)
    func shrink(_ strength: Float, rate: Float) -> Float { max(0, 1 - rate * strength) }
}
