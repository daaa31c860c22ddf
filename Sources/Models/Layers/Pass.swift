import Tensors

/// One run of a micro-batch through the layers of a model: forward alone to score, forward and backward to train.
struct Pass {
    /// The dense parameters.
    let parameters: DenseVector
    /// Samples of the micro-batch, by which its statistics are multiplied.
    let samples: Int
    /// The key of dropout's random numbers; the same key gives the same bits.
    private(set) var key: UInt64
    /// Scratch memory, not reset here.
    let arena: Arena
    private let gradients: DenseVector?

    /// A pass that scores: running statistics, no dropout.
    init(scoring samples: Int, _ parameters: DenseVector, _ arena: Arena) {
        self.init(training: samples, parameters, into: nil, key: 0, arena)
    }

    /// A pass that trains, or scores without a `gradient`, which backward adds to.
    init(
        training samples: Int, _ parameters: DenseVector, into gradient: DenseVector?, key: UInt64, _ arena: Arena
    ) {
        self.samples = samples
        self.parameters = parameters
        gradients = gradient
        self.key = key
        self.arena = arena
    }

    /// Whether it trains: statistics are those of its rows, and units are dropped.
    var isTraining: Bool { gradients != nil }

    /// The gradients by the dense parameters, which backward adds to.
    var gradient: DenseVector {
        guard let gradients else { preconditionFailure("a pass that scores has no gradients") }
        return gradients
    }

    /// A matrix of `rows` × `columns`, not initialized.
    func matrix(rows: Int, columns: Int) -> Matrix { arena.matrix(rows: rows, columns: columns) }

    /// A matrix in the shape of another, not initialized.
    func matrix(like x: Matrix) -> Matrix { arena.matrix(rows: x.rows, columns: x.columns) }

    /// A matrix of zeros.
    func zeros(rows: Int, columns: Int) -> Matrix { arena.zeros(rows: rows, columns: columns) }

    /// Zeros in the shape of a matrix.
    func zeros(like x: Matrix) -> Matrix { arena.zeros(rows: x.rows, columns: x.columns) }

    /// `count` 32-bit integers, not initialized.
    func ints(_ count: Int) -> UnsafeMutablePointer<Int32> { arena.ints(count) }

    /// `count` plain values, not initialized.
    func array<Element: BitwiseCopyable>(of type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        arena.array(of: type, count: count)
    }

    /// The same pass with other random numbers: for the second of two like layers.
    func keyed(by key: UInt64) -> Pass {
        var pass = self
        pass.key = key
        return pass
    }
}
