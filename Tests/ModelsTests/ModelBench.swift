import Datasets
import Foundation
import Tensors

@testable import Models

/// A model with memory around it: parameters, rows of one micro-batch, and all gradients.
final class ModelBench {
    let model: any Model
    let batch: MicroBatch
    let parameters: DenseVector
    let gradient: DenseVector
    let arena = Arena()
    private var values: [Column<Float>] = []
    private var gradients: [Column<Float>] = []
    private var logitValues: [Float] = []

    init(_ model: any Model, schema: Schema) {
        self.model = model
        batch = MicroBatch(schema: schema)
        parameters = DenseVector(count: model.layout.count)
        gradient = DenseVector(count: model.layout.count)
    }

    /// Sets the batch's columns as the fixture says.
    func load(_ note: ParityTests.Note, labels: [Float], numeric: [Float]) throws {
        let given = note.batch
        func fill<T>(_ column: Column<T>, _ elements: [T]) {
            column.resize(elements.count)
            for (index, element) in elements.enumerated() { column[index] = element }
        }
        func fill(_ columns: [Column<Int32>], _ elements: [[Int32]]) {
            for (column, elements) in zip(columns, elements) { fill(column, elements) }
        }
        batch.sampleCount = labels.count
        fill(batch.labels, labels)
        fill(batch.numeric, numeric)
        fill(batch.userRows, given.userRows)
        fill(batch.itemRows, given.itemRows)
        fill(batch.contextRows, given.contextRows)
        fill(batch.biasRows, given.biasRows)
        fill(batch.behaviorRows, given.behaviorRows)
        fill(batch.historyOf, given.historyOf)
        fill(batch.historyOffsets, given.historyOffsets)
        fill(batch.positionBehavior, given.positionBehavior)
        fill(batch.negatives, given.negatives ?? [])
        fill(batch.times, given.times ?? [])
        fill(batch.positionTimes, given.positionTimes ?? [])
        fill(batch.sessionOffsets, given.sessionOffsets ?? [])
        fill(batch.historySessions, given.historySessions ?? [])
        for (table, ids) in zip(batch.tables, given.ids) { fill(table.ids, ids) }
        for (table, counts) in zip(batch.tables, given.counts) { fill(table.counts, counts) }
        prepareRows()
    }

    /// Makes room for the rows of the batch.
    func prepareRows() {
        values = zip(model.tables, batch.tables).map { table, ids in
            let column = Column<Float>()
            column.fill(ids.ids.count * table.width, with: 0)
            return column
        }
        gradients = values.map { column in
            let gradient = Column<Float>()
            gradient.fill(column.count, with: .nan)
            return gradient
        }
        logitValues = [Float](repeating: .nan, count: batch.sampleCount)
    }

    /// The rows of all tables, end to end.
    func setRows(_ floats: [Float]) {
        var first = 0
        for column in values {
            for index in 0..<column.count { column[index] = floats[first + index] }
            first += column.count
        }
    }

    /// Row values, to be nudged.
    var rowColumns: [Column<Float>] { values }
    var logits: [Float] { logitValues }
    var rowGradients: [Float] { gradients.flatMap { Array($0.buffer) } }

    /// Σ of the samples' losses by the last logits, without the auxiliary loss.
    var crossEntropy: Double {
        zip(logits, batch.labels.buffer).reduce(0) { sum, pair in
            let z = Double(pair.1 > 0.5 ? -pair.0 : pair.0)
            return sum + (z > 0 ? z : 0) + log1p(exp(-abs(z)))
        }
    }

    private func blocks(_ columns: [Column<Float>]) -> RowBlocks {
        let matrices = arena.array(of: Matrix.self, count: columns.count)
        for (index, column) in columns.enumerated() {
            matrices[index] = Matrix(
                base: column.base, rows: batch.tables[index].ids.count, columns: model.tables[index].width)
        }
        return RowBlocks(matrices: matrices, count: columns.count)
    }

    func train(key: UInt64) -> Double {
        arena.reset()
        let (rows, targets) = (blocks(values), blocks(gradients))
        for index in 0..<gradient.count { gradient.base[index] = .nan }
        return logitValues.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return .nan }
            return model.train(
                batch, rows: rows, parameters, into: gradient, rowGradients: targets, logits: base, key: key, arena
            ).total
        }
    }

    func score() {
        arena.reset()
        let rows = blocks(values)
        logitValues.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { model.score(batch, rows: rows, parameters, logits: base, arena) }
        }
    }
}
