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
        switch options.kind {
        case .sgd: break
        case .momentum: slots.update(repeating: 0, count: width)
        case .adagrad: slots.update(repeating: options.initialAccumulator, count: width)
        case .adagradRowwise: slots[0] = options.initialAccumulator
        case .adam:
            slots.update(repeating: 0, count: width)
            (slots + stride).update(repeating: 0, count: width)
        case .ftrl:
            slots.update(repeating: 0, count: width)
            (slots + stride).update(repeating: options.initialAccumulator, count: width)
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
        let rate = step.rate
        switch options.kind {
        case .sgd:
            for k in 0..<count { updateSGD(rows[k], gradients + k &* width, count: width, rate: rate) }
        case .momentum:
            for k in 0..<count {
                updateMomentum(
                    rows[k], gradients + k &* width, rows[k] + stride, count: width, rate: rate,
                    momentum: options.momentum, nesterov: options.nesterov)
            }
        case .adagrad:
            for k in 0..<count {
                updateAdagrad(
                    rows[k], gradients + k &* width, rows[k] + stride, count: width, rate: rate,
                    epsilon: options.epsilon)
            }
        case .adagradRowwise:
            for k in 0..<count {
                updateAdagradRowwise(
                    rows[k], gradients + k &* width, rows[k] + stride, count: width, rate: rate,
                    epsilon: options.epsilon)
            }
        case .adam:
            for k in 0..<count {
                updateAdam(
                    rows[k], gradients + k &* width, rows[k] + stride, rows[k] + 2 &* stride, count: width,
                    rate: rate, beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon,
                    correction1: step.correction1, correction2: step.correction2)
            }
        case .ftrl:
            for k in 0..<count {
                updateFTRL(
                    rows[k], gradients + k &* width, rows[k] + stride, rows[k] + 2 &* stride, count: width,
                    alpha: rate, beta: options.beta, l1: options.l1, l2: options.l2)
            }
        }
    }
}
