import Tensors
import Wire

/// The frames of a push: all rows of its pull in their order, or some by their positions.
extension ParameterClient {
    /// What a push says of a subtree's rows on one shard.
    struct Packed {
        let counts: [Int]
        let positions: Payload?
        let samples: Payload
        let gradients: Payload
    }

    /// Notes where each row of the plan stands in a contribution, for all shards at once.
    func locate(_ contribution: Contribution, in plan: StepPlan) {
        for (index, part) in contribution.tables.enumerated() {
            rowOf[index].fill(plan.tables[index].ids.count, with: -1)
            for i in 0..<part.rows.count { rowOf[index][Int(part.rows[i])] = Int32(i) }
        }
    }

    /// The rows of a located contribution that a shard owns, in the order of the pull.
    ///
    /// - Parameter isWhole: whether it has every row of the pull: then no positions are sent.
    func pack(_ contribution: Contribution, _ plan: StepPlan, _ shard: Int, isWhole: Bool) -> Packed {
        let layout = exchanges[shard].layout
        let places = buffers.take(bytes: isWhole ? 0 : layout.rowCount * 4)
        let samples = buffers.take(bytes: layout.rowCount * 4)
        let gradients = buffers.take(bytes: layout.floatCount * 4)
        let positions = places.array(of: UInt32.self, count: isWhole ? 0 : layout.rowCount)
        let sampleCounts = samples.array(of: UInt32.self, count: layout.rowCount)
        let floats = gradients.array(of: Float.self, count: layout.floatCount)
        var counts: [Int] = []
        var (count, used) = (0, 0)
        for (index, rows) in layout.enumerated() {
            let (part, rowOf) = (contribution.tables[index], rowOf[index])
            let (first, before) = (plan.tables[index].rows(of: shard).lowerBound, count)
            for place in 0..<rows.rows where rowOf[first + place] >= 0 {
                let i = Int(rowOf[first + place])
                if !isWhole { positions[count] = UInt32(rows.firstRow + place) }
                sampleCounts[count] = part.counts[i]
                if let base = floats.baseAddress {
                    (base + used).update(from: part.gradients.base + i * part.width, count: part.width)
                }
                count += 1
                used += part.width
            }
            counts.append(count - before)
        }
        precondition(!isWhole || count == layout.rowCount, "a whole contribution has every row of its pull")
        places.count = isWhole ? 0 : count * 4
        samples.count = count * 4
        gradients.count = used * 4
        return Packed(
            counts: counts, positions: isWhole ? nil : Payload(places), samples: Payload(samples),
            gradients: Payload(gradients))
    }

    /// A push that names its rows by ids, for a shard that no longer holds the list of its pull.
    func withIds(_ push: Message, of pulled: Payload) -> Message {
        var ids = pulled
        if push.header.flags.contains(.positions) {
            let positions = push.frames[1].bytes.bindMemory(to: UInt32.self)
            let all = pulled.bytes.bindMemory(to: UInt64.self)
            ids = Payload(copying: positions.map { all[Int($0)] })
        }
        return .push(
            push.header, tableCounts: push.frames[0], ids: ids, rowSamples: push.frames[2],
            gradients: push.frames[3], dense: push.frames[4])
    }
}
