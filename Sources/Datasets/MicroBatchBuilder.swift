import Hashing
import Tensors

/// Fills micro-batches from a split: numbers the distinct ids, shares histories and behaviors.
///
/// Distinct ids come in the order of first occurrence, samples walked in order: user, item, context, bias fields, then
/// the history's behaviors from oldest to newest, field by field. One builder per thread; it allocates nothing once its
/// indexes have grown.
package final class MicroBatchBuilder {
    private let historyLimit: Int
    private let userTables: [Int]
    private let itemTables: [Int]
    private let contextTables: [Int]
    private let biasTables: [Int]
    private let behaviorTables: [Int]
    private let numericCount: Int
    private let indexes: [IdIndex]
    private let histories = IdIndex()
    private let behaviors = IdIndex()

    /// A builder for a schema that keeps the newest `historyLimit` behaviors.
    package init(schema: Schema, historyLimit: Int) {
        precondition(historyLimit >= 0, "a history keeps 0 or more behaviors")
        self.historyLimit = historyLimit
        func places(_ fields: [Schema.Field]) -> [Int] { fields.map { schema.table(named: $0.table) ?? 0 } }
        userTables = places(schema.user)
        itemTables = places(schema.item)
        contextTables = places(schema.context)
        biasTables = places(schema.bias)
        behaviorTables = places(schema.behavior)
        numericCount = schema.numeric.count
        indexes = schema.tables.map { _ in IdIndex() }
    }

    /// Fills `batch` with the samples at `positions` of the order.
    package func fill(_ batch: MicroBatch, from split: Split, order: DataOrder, positions: Range<Int>) {
        precondition(positions.upperBound <= order.count, "positions \(positions) of \(order.count)")
        batch.removeAll()
        batch.firstPosition = positions.lowerBound
        for index in indexes { index.removeAll() }
        histories.removeAll()
        behaviors.removeAll()
        guard !positions.isEmpty else { return }
        var (index, candidate) = order.place(of: positions.lowerBound)
        var left = positions.count
        while left > 0 {
            let (number, local) = split.locate(order.group(at: index))
            let part = split.parts[number]
            let samples = part.candidates(of: local)
            let taken = min(left, samples.count - candidate)
            let first = samples.lowerBound + candidate
            for sample in first..<first + taken { add(sample, of: local, in: part, number, to: batch) }
            left -= taken
            index += 1
            candidate = 0
        }
    }

    private func add(_ sample: Int, of group: Int, in part: SplitPart, _ number: Int, to batch: MicroBatch) {
        let place = Int32(truncatingIfNeeded: batch.sampleCount)
        batch.labels.append(part.label[sample])
        batch.keys.append(part.key[group])
        for field in userTables.indices {
            batch.userRows[field].append(row(part.user[field][group], userTables[field], place, batch))
        }
        for field in itemTables.indices {
            batch.itemRows[field].append(row(part.item[field][sample], itemTables[field], place, batch))
        }
        for field in contextTables.indices {
            batch.contextRows[field].append(row(part.context[field][group], contextTables[field], place, batch))
        }
        for field in biasTables.indices {
            batch.biasRows[field].append(row(part.bias[field][sample], biasTables[field], place, batch))
        }
        if let numeric = part.numeric {
            for column in 0..<numericCount { batch.numeric.append(numeric[sample * numericCount + column]) }
        }
        batch.historyOf.append(history(of: group, in: part, number, place, batch))
        batch.sampleCount += 1
    }

    /// The row of an id, counted once per sample.
    @inline(__always)
    private func row(_ id: UInt64, _ table: Int, _ sample: Int32, _ batch: MicroBatch) -> Int32 {
        let (row, isNew) = indexes[table].number(of: id)
        let ids = batch.tables[table]
        if isNew {
            ids.ids.append(id)
            ids.counts.append(1)
            ids.lastSample.append(sample)
        } else {
            count(row, ids, sample)
        }
        return row
    }

    @inline(__always)
    private func count(_ row: Int32, _ ids: TableIds, _ sample: Int32) {
        if ids.lastSample[Int(row)] != sample {
            ids.lastSample[Int(row)] = sample
            ids.counts[Int(row)] += 1
        }
    }

    /// The number of the group's history; a history that is met again only counts its ids for the new sample.
    private func history(
        of group: Int, in part: SplitPart, _ number: Int, _ sample: Int32, _ batch: MicroBatch
    ) -> Int32 {
        let end = Int(part.historyEnd[group])
        let begin = max(Int(part.historyBegin[group]), end - historyLimit)
        // A slice is known by its part, its end and its length; an empty one is the same wherever it lies.
        let slice = begin == end ? 0 : mix64(UInt64(end) &+ mix64(UInt64(number) << 32 | UInt64(end - begin))) | 1
        let (history, isNew) = histories.number(of: slice)
        if isNew {
            for position in begin..<end { addBehavior(position, in: part, sample, batch) }
            batch.historyOffsets.append(Int32(truncatingIfNeeded: batch.positionBehavior.count))
        } else {
            let positions = Int(batch.historyOffsets[Int(history)])..<Int(batch.historyOffsets[Int(history) + 1])
            for position in positions {
                let behavior = Int(batch.positionBehavior[position])
                for field in behaviorTables.indices {
                    count(batch.behaviorRows[field][behavior], batch.tables[behaviorTables[field]], sample)
                }
            }
        }
        return history
    }

    private func addBehavior(_ position: Int, in part: SplitPart, _ sample: Int32, _ batch: MicroBatch) {
        // A behavior is known by a 64-bit hash of its rows; two of a micro-batch collide with odds of 2⁻⁶⁴.
        var name: UInt64 = 0
        let known = batch.behaviorCount
        for field in behaviorTables.indices {
            let row = row(part.behavior[field][position], behaviorTables[field], sample, batch)
            batch.behaviorRows[field].append(row)
            name = field == 0 ? UInt64(row) + 1 : mix64(name) &+ UInt64(row) + 1
        }
        let (behavior, isNew) = behaviors.number(of: name)
        if !isNew { for field in behaviorTables.indices { batch.behaviorRows[field].resize(known) } }
        batch.positionBehavior.append(behavior)
    }
}
