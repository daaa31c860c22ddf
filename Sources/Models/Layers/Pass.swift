package import Tensors

/// One run of a micro-batch through the layers of a model: forward alone to score, forward and backward to train.
package struct Pass {
    /// The dense parameters.
    package let parameters: DenseVector
    /// Samples of the micro-batch, by which its statistics are multiplied.
    package let samples: Int
    /// The key of dropout's random numbers; the same key gives the same bits.
    package let key: UInt64
    /// Scratch memory, not reset here.
    package let arena: Arena
    private let gradients: DenseVector?

    /// A pass that scores: running statistics, no dropout.
    package init(scoring samples: Int, _ parameters: DenseVector, _ arena: Arena) {
        self.init(samples: samples, parameters, nil, key: 0, arena)
    }

    /// A pass that trains; backward adds to `gradient`.
    package init(
        training samples: Int, _ parameters: DenseVector, into gradient: DenseVector, key: UInt64, _ arena: Arena
    ) {
        self.init(samples: samples, parameters, gradient, key: key, arena)
    }

    private init(
        samples: Int, _ parameters: DenseVector, _ gradients: DenseVector?, key: UInt64, _ arena: Arena
    ) {
        self.samples = samples
        self.parameters = parameters
        self.gradients = gradients
        self.key = key
        self.arena = arena
    }

    /// Whether it trains: statistics are those of its rows, and units are dropped.
    package var isTraining: Bool { gradients != nil }

    /// The gradients by the dense parameters, which backward adds to.
    package var gradient: DenseVector {
        guard let gradients else { preconditionFailure("a pass that scores has no gradients") }
        return gradients
    }

    /// A matrix of `rows` × `columns`, not initialized.
    package func matrix(rows: Int, columns: Int) -> Matrix { arena.matrix(rows: rows, columns: columns) }

    /// A matrix of zeros.
    package func zeros(rows: Int, columns: Int) -> Matrix { arena.zeros(rows: rows, columns: columns) }

    /// Zeros in the shape of a matrix.
    package func zeros(like x: Matrix) -> Matrix { arena.zeros(rows: x.rows, columns: x.columns) }

    /// `count` 32-bit integers, not initialized.
    package func ints(_ count: Int) -> UnsafeMutablePointer<Int32> { arena.ints(count) }

    /// `count` plain values, not initialized.
    package func array<Element: BitwiseCopyable>(of type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        arena.array(of: type, count: count)
    }

    /// The same pass with other random numbers: for the second of two like layers.
    package func keyed(by key: UInt64) -> Pass { Pass(samples: samples, parameters, gradients, key: key, arena) }
}
