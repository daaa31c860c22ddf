import Tensors

@testable import Parameters

/// A table over all partitions, or over the given ones.
func makeTable(
    width: Int = 3, optimizer: OptimizerOptions = OptimizerOptions(kind: .sgd, rate: 0.1),
    regularization: RegularizationOptions = RegularizationOptions(kind: .none), schedule: ScheduleOptions = .init(),
    initial: RowInitial = .normal(deviation: 0.5), limit: Int? = nil, bits: Int = 4, partitions: [Int]? = nil,
    index: UInt32 = 0, seed: UInt64 = 7
) throws -> Table {
    let options = TableOptions(
        name: "item", width: width, optimizer: optimizer, schedule: schedule, regularization: regularization,
        initial: initial, limit: limit)
    return try Table(
        index: index, options: options, partitionBits: bits, partitions: partitions ?? Array(0..<1 << bits), seed: seed)
}

extension Table {
    /// The weights of rows, end to end.
    func weights(_ ids: [UInt64]) throws -> [Float] {
        var result = [Float](repeating: .nan, count: ids.count * layout.width)
        try pull(ids: ids, count: ids.count, into: &result)
        return result
    }

    /// One step on rows that each occur in one sample.
    @discardableResult
    func push(
        _ ids: [UInt64], _ gradients: [Float], counts: [UInt32]? = nil, scale: Float = 1, step: Int = 1
    ) throws -> Applied {
        precondition(gradients.count == ids.count * layout.width)
        let counts = counts ?? [UInt32](repeating: 1, count: ids.count)
        return try apply(
            ids: ids, count: ids.count, gradients: gradients, counts: counts, scale: scale, step: step)
    }

    /// Every row with its whole state, partition after partition in order of id.
    func contents() -> [[UInt32]] {
        var result: [[UInt32]] = []
        let rows = PartitionRows()
        for partition in owned {
            try? export(partition: partition, into: rows)
            for i in 0..<rows.ids.count {
                var row = [UInt32(truncatingIfNeeded: rows.ids[i]), UInt32(truncatingIfNeeded: rows.ids[i] >> 32)]
                row += (0..<layout.width).map { rows.weights[i * layout.width + $0].bitPattern }
                row += (0..<layout.slots).map { rows.slots[i * layout.slots + $0].bitPattern }
                row += [rows.counts[i], rows.steps[i]]
                result.append(row)
            }
        }
        return result
    }
}

/// Reproducible random numbers for tests.
struct RandomSource: RandomNumberGenerator {
    private let key: UInt64
    private var counter: UInt64 = 0

    init(_ key: UInt64) { self.key = key }

    mutating func next() -> UInt64 {
        counter += 1
        return Philox.word(key: key, 0, counter)
    }

    /// Uniform in ±1.
    mutating func float() -> Float { Float.random(in: -1...1, using: &self) }

    /// `count` floats, uniform in ±1.
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in float() } }

    /// `count` distinct ids that are not 0.
    mutating func ids(_ count: Int, below bound: UInt64 = .max) -> [UInt64] {
        var seen: Set<UInt64> = []
        var result: [UInt64] = []
        while result.count < count {
            let id = UInt64.random(in: 1..<bound, using: &self)
            if seen.insert(id).inserted { result.append(id) }
        }
        return result
    }
}

/// The bits of floats, for comparisons that accept no rounding.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// Whether two lists agree within a relative and absolute tolerance.
func agree(_ a: [Float], _ b: [Double], _ tolerance: Double = 1e-5) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs(Double($0) - $1) <= tolerance * max(1, abs($1)) }
}
