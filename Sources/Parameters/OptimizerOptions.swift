import Tensors

/// Which optimizer moves the weights, and its hyper-parameters; those of other kinds are ignored.
package struct OptimizerOptions: Codable, Sendable, Equatable {
    /// The methods; g is the mean gradient of the global batch.
    package enum Kind: String, Choice {
        /// w −= rate·g.
        case sgd
        /// Heavy ball (Polyak 1964): v = momentum·v + g, w −= rate·v, or with Nesterov's look-ahead.
        case momentum
        /// Adagrad (Duchi et al. 2011), one accumulator a weight.
        case adagrad
        /// Adagrad with one accumulator a row, of the mean of g²: a slot of 4 bytes.
        case adagradRowwise = "adagrad_rowwise"
        /// Adam (Kingma and Ba 2015); for rows lazy: moments move when the row does, corrections follow the global step.
        case adam
        /// FTRL-proximal (McMahan et al. 2013); the rate is its α.
        case ftrl
    }

    /// The method; default adagrad.
    package var kind: Kind
    /// Learning rate before the schedule; default 0.01 (adam 0.001, ftrl 0.05).
    package var rate: Float
    /// Momentum: share of the velocity that is kept; default 0.9.
    package var momentum: Float = 0.9
    /// Momentum: look ahead; default false.
    package var nesterov = false
    /// Adam: decay of the first moment; default 0.9.
    package var beta1: Float = 0.9
    /// Adam: decay of the second moment; default 0.999.
    package var beta2: Float = 0.999
    /// Adagrad and Adam: added to the root; default 1e-10 (adam 1e-8).
    package var epsilon: Float
    /// Adagrad and FTRL: what the sum of squares starts from; default 0.
    package var initialAccumulator: Float = 0
    /// FTRL: β; default 1.
    package var beta: Float = 1
    /// FTRL: λ₁, which sets small weights to zero; default 0.
    package var l1: Float = 0
    /// FTRL: λ₂; default 0.
    package var l2: Float = 0

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, rate, momentum, nesterov, beta1, beta2, epsilon, beta, l1, l2
        case initialAccumulator = "initial_accumulator"
    }

    /// A method with the usual hyper-parameters.
    package init(kind: Kind = .adagrad, rate: Float? = nil) {
        self.kind = kind
        self.rate = rate ?? (kind == .adam ? 0.001 : kind == .ftrl ? 0.05 : 0.01)
        epsilon = kind == .adam ? 1e-8 : 1e-10
    }

    /// Throws the first setting that makes no sense.
    ///
    /// - Parameter dense: for the dense parameters, which have no rows: their result may not depend on how they are cut.
    package func validate(dense: Bool = false) throws(ParametersError) {
        try check(rate > 0 && rate.isFinite, "optimizer.rate", rate, "a number above 0")
        for (name, value) in [("momentum", momentum), ("beta1", beta1), ("beta2", beta2)] {
            try check(value >= 0 && value < 1, "optimizer." + name, value, "at least 0 and below 1")
        }
        for (name, value) in [("initial_accumulator", initialAccumulator), ("beta", beta), ("l1", l1), ("l2", l2)] {
            try check(value >= 0 && value.isFinite, "optimizer." + name, value, "0 or more")
        }
        try check(epsilon > 0 && epsilon.isFinite, "optimizer.epsilon", epsilon, "above 0")
        if dense {
            try check(kind != .adagradRowwise, "optimizer.kind", kind.rawValue, "adagrad for dense parameters")
        }
    }
}
