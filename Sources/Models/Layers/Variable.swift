import Kernels
import Tensors

/// A matrix that several layers read, and where they add its gradient: nil in a pass that scores.
struct Variable {
    /// What is read.
    let value: Matrix
    /// What has reached it so far.
    let gradient: Matrix?

    /// A block of columns of every row.
    func columns(_ range: Range<Int>) -> Variable {
        Variable(value: value.columns(range), gradient: gradient?.columns(range))
    }

    /// Adds to the gradient.
    func receive(_ d: Matrix) { if let gradient { add(d, to: gradient) } }

    /// Adds d∘x to the gradient.
    func receive(_ d: Matrix, times x: Matrix) { if let gradient { addProduct(d, x, to: gradient) } }
}

extension Pass {
    /// A matrix whose gradient is zero so far.
    func variable(_ value: Matrix) -> Variable {
        Variable(value: value, gradient: isTraining ? zeros(like: value) : nil)
    }
}
