import Tensors

/// How the learning rate falls: a pure function of the global step, the same on every shard.
package struct ScheduleOptions: Codable, Sendable, Equatable {
    /// The shape of the schedule; steps count from 1.
    package enum Kind: String, Choice {
        /// rate(t) = rate.
        case constant
        /// rate(t) = rate · factor^⌊(t−1)/every⌋: halved every so often.
        case step
        /// rate(t) = rate · factor^((t−1)/every): the same, smoothly.
        case exponential
    }

    /// The shape; default constant.
    package var kind: Kind
    /// What the rate is multiplied by after `every` steps; in (0, 1]; default 0.9 (DIN paper, 6.1).
    package var factor = 0.9
    /// Steps after which the whole factor has been applied; default 10,000.
    package var every = 10_000
    /// Steps over which the rate first rises linearly: rate(t) · min(1, t/warmup); default 0, none.
    package var warmup = 0

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, factor, every, warmup
    }

    /// Throws the first setting that makes no sense.
    package func validate() throws(ParametersError) {
        try check(factor > 0 && factor <= 1, "schedule.factor", factor, "above 0 and at most 1")
        try check((1...1_000_000_000).contains(every), "schedule.every", every, "1 to 1000000000 steps")
        try check((0...1_000_000_000).contains(warmup), "schedule.warmup", warmup, "0 to 1000000000 steps")
    }

    /// The learning rate of a global step (from 1), given the rate of an unscheduled run.
    ///
    /// Products and square roots of doubles alone, never `pow`: the same bits with every C library.
    package func rate(_ base: Float, step: Int) -> Float {
        precondition(step >= 1, "steps count from 1, not \(step)")
        var scale = 1.0
        switch kind {
        case .constant: break
        case .step: scale = power(factor, (step - 1) / every)
        case .exponential:
            scale = power(factor, (step - 1) / every) * root(factor, (step - 1) % every, of: every)
        }
        if step < warmup { scale *= Double(step) / Double(warmup) }
        return scale == 1 ? base : Float(Double(base) * scale)
    }

    /// base^(part/whole) for part < whole: the product of the square roots that the binary fraction names.
    private func root(_ base: Double, _ part: Int, of whole: Int) -> Double {
        var (rest, factor, result) = (part, base, 1.0)
        for _ in 0..<60 where rest > 0 {
            factor = factor.squareRoot()
            rest *= 2
            if rest >= whole {
                result *= factor
                rest -= whole
            }
        }
        return result
    }
}

extension ScheduleOptions {
    /// A constant rate.
    package init() { self.init(kind: .constant) }
}

/// base^exponent by repeated squaring.
func power(_ base: Double, _ exponent: Int) -> Double {
    var (rest, square, result) = (exponent, base, 1.0)
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}
