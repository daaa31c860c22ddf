import Tensors
import Wire

/// The frames of a push: all rows of its pull in their order, or some by their positions.
extension ParameterClient {
    /// What a push says of a subtree's rows on one shard.
    struct Packed {
        let counts: [Int]
        let keys: PushKeyFrame
        let samples: Payload
        let gradients: Payload
        let ids: () -> Payload
    }

    /// All rows of the pull, in its order.
    func packAll(_ contribution: Contribution, _ plan: StepPlan, _ shard: Int) -> Packed {
        let layout = layouts[shard]
        let samples = buffers.take(bytes: layout.rowCount * 4)
        let gradients = buffers.take(bytes: layout.floatCount * 4)
        let sampleBase = samples.array(of: UInt32.self, count: layout.rowCount)
        let gradientBase = gradients.array(of: Float.self, count: layout.floatCount)
        var ids: [UInt64] = []
        for (index, rows) in layout.enumerated() where rows.rows > 0 {
            let table = plan.tables[index]
            let range = table.rows(of: shard)
            let part = contribution.tables[index]
            let width = part.width
            ids += UnsafeBufferPointer(start: table.ids.base + range.lowerBound, count: range.count)
            guard let floats = gradientBase.baseAddress else { continue }
            for i in 0..<part.rows.count {
                let row = Int(part.rows[i])
                guard range.contains(row) else { continue }
                let place = row - range.lowerBound
                sampleBase[rows.firstRow + place] = part.counts[i]
                (floats + rows.firstFloat + place * width).update(from: part.gradients.base + i * width, count: width)
            }
        }
        let all = ids
        return Packed(
            counts: layout.map(\.rows), keys: .samePull, samples: Payload(samples), gradients: Payload(gradients),
            ids: { Payload(copying: all) })
    }

    /// The rows that this subtree has, as ascending positions in the list of the pull.
    func packSome(_ contribution: Contribution, _ plan: StepPlan, _ shard: Int) -> Packed {
        let layout = layouts[shard]
        var counts: [Int] = []
        var positions: [UInt32] = []
        var samples: [UInt32] = []
        var ids: [UInt64] = []
        let gradients = buffers.take(bytes: layout.floatCount * 4)
        let floats = gradients.array(of: Float.self, count: layout.floatCount)
        var used = 0
        for (index, rows) in layout.enumerated() {
            let table = plan.tables[index]
            let range = table.rows(of: shard)
            let part = contribution.tables[index]
            present.fill(range.count, with: -1)
            for i in 0..<part.rows.count where range.contains(Int(part.rows[i])) {
                present[Int(part.rows[i]) - range.lowerBound] = Int32(i)
            }
            let before = positions.count
            for place in 0..<range.count where present[place] >= 0 {
                let i = Int(present[place])
                positions.append(UInt32(rows.firstRow + place))
                samples.append(part.counts[i])
                ids.append(table.ids[range.lowerBound + place])
                if let base = floats.baseAddress {
                    (base + used).update(from: part.gradients.base + i * part.width, count: part.width)
                }
                used += part.width
            }
            counts.append(positions.count - before)
        }
        gradients.count = used * 4
        let all = ids
        return Packed(
            counts: counts, keys: .positions(Payload(copying: positions)), samples: Payload(copying: samples),
            gradients: Payload(gradients), ids: { Payload(copying: all) })
    }
}
