import Datasets
import Kernels
import Layers
import Tensors

extension MicroBatch {
    /// Whose history is where: views of the batch's columns.
    var histories: Histories {
        Histories(
            samples: sampleCount, count: historyCount, of: historyOf.base, offsets: historyOffsets.base,
            behavior: positionBehavior.base)
    }

    /// The pooled history of every sample, [samples × d]; each distinct history is pooled once.
    func pool(_ e: Matrix, _ pooling: Pooling, _ arena: Arena) -> Matrix {
        let pooled = Layers.pool(e, histories, pooling, arena)
        let v = arena.matrix(rows: sampleCount, columns: e.columns)
        gatherRows(of: pooled, at: historyOf.base, into: v)
        return v
    }

    /// de += the gradients of the pooled histories: dv is [samples × d], de has a row for every distinct tuple.
    func unpool(_ dv: Matrix, _ pooling: Pooling, addingTo de: Matrix, _ arena: Arena) {
        let sums = arena.zeros(rows: historyCount, columns: dv.columns)
        scatterAddRows(of: dv, at: historyOf.base, addingTo: sums)
        Layers.unpool(sums, histories, pooling, addingTo: de)
    }
}

extension RowBlocks {
    /// Every element = 0.
    func clear() {
        for table in 0..<count { Kernels.clear(self[table]) }
    }
}
