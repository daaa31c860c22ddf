/// Where a named matrix of dense parameters lies in the one flat vector.
@frozen
public struct Slot: Sendable, Hashable {
    /// Floats before it.
    public let offset: Int
    /// How many rows.
    public let rows: Int
    /// How many columns.
    public let columns: Int

    /// A place in the vector.
    public init(offset: Int, rows: Int, columns: Int) {
        self.offset = offset
        self.rows = rows
        self.columns = columns
    }

    /// How many floats it holds.
    @inlinable
    public var count: Int { rows * columns }
}

/// How a dense parameter starts.
public enum DenseInitial: Sendable, Hashable {
    /// Every element the same.
    case constant(Float)
    /// Uniform in ±√(6 / (rows + columns)) (Glorot and Bengio 2010).
    case glorotUniform
    /// Normal with variance 2 / (rows + columns) (Glorot and Bengio 2010).
    case glorotNormal
    /// Normal with mean 0.
    case normal(deviation: Float)
    /// One on the diagonal.
    case identity
    /// The columns in equal blocks, each of one value: biases of gates.
    case blocks([Float])
    /// Row p, column c: sin(p / 10000^(2⌊c/2⌋/columns)) where c is even, else cos (Vaswani et al. 2017, 3.5).
    case sinusoid
}

/// What a server does with a dense slot when a step is complete.
public enum DenseKind: String, Sendable, Hashable {
    /// A parameter: the optimizer moves it along its gradient.
    case trainable
    /// A running statistic (Dice, batch norm): an exponential moving average, never an optimizer.
    case statistic
}

/// The names, shapes and initial values of all dense parameters, laid out in one vector.
///
/// Layers declare their slots in their initializers; nothing else in the system knows the model's structure.
public struct ParameterLayout: Sendable {
    /// One declared parameter.
    public struct Entry: Sendable, Hashable {
        /// Its name, unique: "top.0.weight".
        public let name: String
        /// Its place.
        public let slot: Slot
        /// How it is updated.
        public let kind: DenseKind
        /// How it starts.
        public let initial: DenseInitial
    }

    /// The parameters in order of declaration.
    public private(set) var entries: [Entry] = []
    /// Floats in all, padding between slots included.
    public private(set) var count = 0

    /// An empty layout.
    public init() {}

    /// Declares a trainable matrix; its slot starts on a multiple of 16 floats.
    public mutating func matrix(
        _ name: String, rows: Int, columns: Int, initial: DenseInitial = .glorotUniform
    ) -> Slot {
        add(name, rows: rows, columns: columns, kind: .trainable, initial: initial)
    }

    /// Declares a row of running statistics.
    public mutating func statistic(_ name: String, columns: Int, initial: Float) -> Slot {
        add(name, rows: 1, columns: columns, kind: .statistic, initial: .constant(initial))
    }

    /// Trainable scalars, without padding and statistics: the figure that papers quote.
    public var trainableCount: Int {
        entries.reduce(0) { $0 + ($1.kind == .trainable ? $1.slot.count : 0) }
    }

    /// The entry of a name.
    public func entry(named name: String) -> Entry? { entries.first { $0.name == name } }

    private mutating func add(
        _ name: String, rows: Int, columns: Int, kind: DenseKind, initial: DenseInitial
    ) -> Slot {
        precondition(entry(named: name) == nil, "two parameters are called \(name)")
        let slot = Slot(offset: count, rows: rows, columns: columns)
        entries.append(Entry(name: name, slot: slot, kind: kind, initial: initial))
        count += (slot.count + 15) / 16 * 16
        return slot
    }
}
