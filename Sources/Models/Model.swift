package import Datasets
package import Tensors

/// A table of embedding rows that a model reads, at the schema's table index.
package struct EmbeddingTable: Sendable, Hashable {
    /// The table's name in the schema.
    package let name: String
    /// Floats of a row.
    package let width: Int
    /// How a row starts.
    package let initial: InitialValue
    /// Whether any feature that the model takes reads it; the rows of other tables get gradients of zero.
    package let isUsed: Bool

    /// A table as a model declares it.
    package init(name: String, width: Int, initial: InitialValue, isUsed: Bool = true) {
        self.name = name
        self.width = width
        self.initial = initial
        self.isUsed = isUsed
    }
}

/// The rows of a micro-batch, or their gradients: by table a matrix of [distinct ids of the micro-batch × width].
///
/// A view: whoever made the array of matrices keeps it alive.
package struct RowBlocks: @unchecked Sendable {
    /// One matrix for each table of the schema.
    package let matrices: UnsafeMutablePointer<Matrix>
    /// How many tables.
    package let count: Int

    /// A view of `count` matrices.
    package init(matrices: UnsafeMutablePointer<Matrix>, count: Int) {
        self.matrices = matrices
        self.count = count
    }

    /// The block of one table.
    package subscript(table: Int) -> Matrix {
        precondition(table >= 0 && table < count, "there are \(count) tables, not \(table + 1)")
        return matrices[table]
    }
}

/// Sums over the samples of a micro-batch of what a model minimizes.
package struct Losses: Sendable, Equatable {
    /// Cross-entropies of the clicks.
    package var clicks: Double
    /// The auxiliary loss times its weight and the number of samples; 0 of models that have none.
    package var auxiliary: Double

    /// Sums.
    package init(clicks: Double, auxiliary: Double = 0) {
        self.clicks = clicks
        self.auxiliary = auxiliary
    }

    /// What is minimized.
    package var total: Double { clicks + auxiliary }
}

/// A click-through-rate model: from the ids of a micro-batch and their rows to logits, loss and gradients.
///
/// It is immutable and knows no server, step or socket. What it computes for a micro-batch is a pure function of its
/// arguments, to the last bit.
package protocol Model: Sendable {
    /// The dense parameters and running statistics.
    var layout: ParameterLayout { get }
    /// The embedding tables, by the schema's table index.
    var tables: [EmbeddingTable] { get }
    /// What micro-batches have to hold for it beyond ids and histories.
    var needs: BatchNeeds { get }

    /// The sums of the samples' losses, with the gradients of their total by the rows and by the dense parameters.
    ///
    /// l(z, y) = max(z, 0) − z·y + ln(1 + e^−|z|). Everything is a SUM over the samples; whoever completes the global
    /// batch divides. At the slots of running statistics `gradient` gets sampleCount × the micro-batch's statistic, or
    /// × the running value where the micro-batch has no valid row.
    ///
    /// - Parameters:
    ///   - batch: the samples.
    ///   - rows: the values of the rows of `batch.tables`.
    ///   - gradient: set, of the layout's size.
    ///   - rowGradients: set, in the shapes of `rows`.
    ///   - logits: set, one for each sample.
    ///   - key: of the random numbers of dropout; the same key gives the same bits.
    ///   - arena: scratch memory, not reset here.
    func train(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, into gradient: DenseVector,
        rowGradients: RowBlocks, logits: UnsafeMutablePointer<Float>, key: UInt64, _ arena: Arena
    ) -> Losses

    /// The logits by running statistics, without dropout: a sample's does not depend on its batch mates.
    func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena)
}

extension Model {
    /// Nothing.
    package var needs: BatchNeeds { BatchNeeds() }

    /// Trainable scalars when the tables hold `rows[t]` rows: the figure that papers and logs quote.
    package func parameterCount(rows: [Int]) -> Int {
        precondition(rows.count == tables.count, "there are \(tables.count) tables, not \(rows.count)")
        return zip(tables, rows).reduce(layout.trainableCount) { $0 + ($1.0.isUsed ? $1.0.width * $1.1 : 0) }
    }
}
