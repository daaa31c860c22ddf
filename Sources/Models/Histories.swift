import Datasets
import Kernels
import Tensors

extension MicroBatch {
    /// Whose history is where: views of the batch's columns.
    var histories: Histories { histories(at: positionBehavior.base) }

    /// Whose history is where, a position naming another row than a behavior's: of a state, or of a session.
    func histories(at rowOf: UnsafePointer<Int32>, offsets: Column<Int32>? = nil) -> Histories {
        Histories(
            samples: sampleCount, count: historyCount, of: historyOf.base, offsets: (offsets ?? historyOffsets).base,
            behavior: rowOf)
    }

    /// The sessions of every sample, as the positions of a history: position and row are the session's number.
    func sessionsAsHistories(_ pass: Pass) -> Histories {
        let numbers = pass.ints(sessionCount)
        for session in 0..<sessionCount { numbers[session] = Int32(session) }
        return histories(at: numbers, offsets: historySessions)
    }

    /// What the auxiliary loss compares; `rowOf` names the row of the state after a position.
    func pairs(at rowOf: UnsafePointer<Int32>, _ pass: Pass) -> AuxiliaryLoss.Pairs {
        let samplesOf = pass.ints(historyCount)
        for history in 0..<historyCount { samplesOf[history] = 0 }
        for sample in 0..<sampleCount { samplesOf[Int(historyOf[sample])] += 1 }
        precondition(negatives.count == positionCount, "the auxiliary loss needs a drawn behavior for every position")
        return AuxiliaryLoss.Pairs(
            offsets: historyOffsets.base, histories: historyCount, stateOf: rowOf, behavior: positionBehavior.base,
            negative: negatives.base, samplesOf: samplesOf)
    }

    /// Hands the pooled history of every sample, [samples × d], to `above`; each distinct history is pooled once.
    func pool(_ e: Variable, _ pooling: Pooling, _ pass: Pass, _ above: Above) {
        let pooled = pass.matrix(rows: historyCount, columns: e.value.columns)
        Kernels.pool(e.value, histories, mean: pooling == .mean, into: pooled)
        let v = pass.matrix(rows: sampleCount, columns: pooled.columns)
        gatherRows(of: pooled, at: historyOf.base, into: v)
        guard let dv = above(v), let de = e.gradient else { return }
        let sums = pass.zeros(like: pooled)
        scatterAddRows(of: dv, at: historyOf.base, addingTo: sums)
        poolBackward(sums, histories, mean: pooling == .mean, addingTo: de)
    }
}

extension RowBlocks {
    /// Every element = 0.
    func clear() {
        for table in 0..<count { Kernels.clear(self[table]) }
    }
}
