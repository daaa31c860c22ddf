import Tensors

/// What stands above a layer: it takes the layer's output, and answers with the gradient of that, or nil when it scores.
typealias Above = (Matrix) -> Matrix?

/// A layer is one function: y of x, what `above` makes of y, then dx of dy; gradients of the parameters are added.
///
/// What the way back needs is simply still there.
protocol Layer: Sendable {
    /// dx, or nil when the pass scores.
    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix?
}

extension Optional: Layer where Wrapped: Layer {
    /// Without the layer, x goes through as it is.
    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        guard let self else { return above(x) }
        return self.run(x, pass, above)
    }
}
