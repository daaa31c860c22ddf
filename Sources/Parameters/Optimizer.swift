import Kernels

/// The constants of one global step: the switch on kinds and the powers are paid once, not once a row.
struct UpdateStep {
    /// The scheduled learning rate.
    let rate: Float
    /// Adam: 1 − β₁ᵗ.
    let correction1: Float
    /// Adam: 1 − β₂ᵗ.
    let correction2: Float
}

/// Moves weights along gradients by one of the methods of `OptimizerOptions`.
struct Optimizer: Sendable {
    /// The method and its hyper-parameters.
    let options: OptimizerOptions
    /// How the rate falls.
    let schedule: ScheduleOptions

    /// Floats of state for `width` weights.
    func slots(width: Int) -> Int {
        switch options.kind {
        case .sgd: 0
        case .momentum, .adagrad: width
        case .adagradRowwise: 1
        case .adam, .ftrl: 2 * width
        }
    }

    /// Writes the state of weights that were never updated.
    ///
    /// - Parameter stride: floats between two kinds of state of one weight (the width of a row).
    func initialize(_ slots: UnsafeMutablePointer<Float>, width: Int, stride: Int) {
        let sum = options.initialAccumulator
        switch options.kind {
        case .sgd: break
        case .adagradRowwise: slots[0] = sum
        case .momentum, .adagrad: slots.update(repeating: options.kind == .adagrad ? sum : 0, count: width)
        case .adam, .ftrl:
            slots.update(repeating: 0, count: width)
            (slots + stride).update(repeating: options.kind == .ftrl ? sum : 0, count: width)
        }
    }

    /// The constants of a global step, from 1.
    ///
    /// - Parameter earlier: updates that the state has had besides those steps, in the run that this one began from.
    func constants(step: Int, earlier: Int) -> UpdateStep {
        let isAdam = options.kind == .adam
        let updates = max(1, step + earlier)
        return UpdateStep(
            rate: schedule.rate(options.rate, step: step),
            correction1: isAdam ? Float(1 - power(Double(options.beta1), updates)) : 1,
            correction2: isAdam ? Float(1 - power(Double(options.beta2), updates)) : 1)
    }

    /// Updates `count` rows of `width` weights.
    ///
    /// - Parameters:
    ///   - rows: starts of the weights; state follows `stride` floats later, and again `stride` floats later.
    ///   - gradients: [count × width], already scaled, end to end.
    func update(
        _ rows: UnsafePointer<UnsafeMutablePointer<Float>>, _ gradients: UnsafePointer<Float>, count: Int,
        width: Int, stride: Int, _ step: UpdateStep
    ) {
        /// Hands over weights, gradients and both kinds of state of every row.
        @inline(__always)
        func each(
            _ rule: (
                UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
                UnsafeMutablePointer<Float>
            ) -> Void
        ) {
            for k in 0..<count { rule(rows[k], gradients + k &* width, rows[k] + stride, rows[k] + 2 &* stride) }
        }
        let (o, rate) = (options, step.rate)
        switch o.kind {
        case .sgd: each { w, g, _, _ in updateSGD(w, g, count: width, rate: rate) }
        case .momentum:
            each { w, g, v, _ in
                updateMomentum(w, g, v, count: width, rate: rate, momentum: o.momentum, nesterov: o.nesterov)
            }
        case .adagrad:
            each { w, g, sum, _ in updateAdagrad(w, g, sum, count: width, rate: rate, epsilon: o.epsilon) }
        case .adagradRowwise:
            each { w, g, sum, _ in updateAdagradRowwise(w, g, sum, count: width, rate: rate, epsilon: o.epsilon) }
        case .adam:
            each { w, g, m, v in
                updateAdam(
                    w, g, m, v, count: width, rate: rate, beta1: o.beta1, beta2: o.beta2, epsilon: o.epsilon,
                    correction1: step.correction1, correction2: step.correction2)
            }
        case .ftrl:
            each { w, g, z, n in
                updateFTRL(w, g, z, n, count: width, alpha: rate, beta: o.beta, l1: o.l1, l2: o.l2)
            }
        }
    }
}
