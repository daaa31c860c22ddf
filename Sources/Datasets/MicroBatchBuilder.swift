import Tensors

/// Fills micro-batches from a split: numbers the distinct ids, shares histories and behaviors.
///
/// Distinct ids come in the order of first occurrence, samples walked in order: user, item, context, bias fields, then
/// the history's behaviors from oldest to newest, field by field, and what was drawn against them. One builder per
/// thread; it allocates nothing once its indexes have grown.
package final class MicroBatchBuilder {
    private let historyLimit: Int
    private let needs: BatchNeeds
    private let sessions = Column<(begin: Int, end: Int)>()
    private var order = Order(epoch: 0, negatives: nil)
    private let userTables: [Int]
    private let itemTables: [Int]
    private let contextTables: [Int]
    private let biasTables: [Int]
    private let behaviorTables: [Int]
    private let numericCount: Int
    private let indexes: [IdIndex]
    private let histories = IdIndex()
    private let behaviors = IdIndex()

    /// What the draws of a micro-batch depend on besides its impressions.
    private struct Order {
        let epoch: Int
        let negatives: NegativeSampler?
    }

    /// A builder for a schema that keeps the newest `historyLimit` behaviors.
    package init(schema: Schema, historyLimit: Int, needs: BatchNeeds = BatchNeeds()) {
        precondition(historyLimit >= 0, "a history keeps 0 or more behaviors")
        self.historyLimit = historyLimit
        self.needs = needs
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
    ///
    /// - Parameter negatives: draws what did not happen next, in training, if the model asks for it.
    package func fill(
        _ batch: MicroBatch, from split: Split, order: DataOrder, positions: Range<Int>,
        negatives: NegativeSampler? = nil
    ) {
        precondition(positions.upperBound <= order.count, "positions \(positions) of \(order.count)")
        precondition(!needs.readsTimes || split.hasTimes, "the model needs times, which split \(split.name) lacks")
        self.order = Order(epoch: order.epoch ?? 0, negatives: needs.negatives == nil ? nil : negatives)
        batch.removeAll()
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
            for sample in first..<first + taken { add(sample, of: local, in: split, number, to: batch) }
            left -= taken
            index += 1
            candidate = 0
        }
    }

    private func add(_ sample: Int, of group: Int, in split: Split, _ number: Int, to batch: MicroBatch) {
        let part = split.parts[number]
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
        batch.historyOf.append(history(of: group, in: split, number, place, batch))
        if needs.times {
            let (begin, end) = (part.historyBegin[group], part.historyEnd[group])
            let newest = begin < end ? part.behaviorTime?[Int(end) - 1] : nil
            batch.times.append(part.time?[group] ?? newest ?? 0)
        }
        batch.sampleCount += 1
    }

    /// The row of an id, counted once per sample; sample −1 stands for none.
    @inline(__always)
    private func row(_ id: UInt64, _ table: Int, _ sample: Int32, _ batch: MicroBatch) -> Int32 {
        let (row, isNew) = indexes[table].number(of: id)
        let ids = batch.tables[table]
        if isNew {
            ids.ids.append(id)
            ids.counts.append(sample < 0 ? 0 : 1)
            ids.lastSample.append(sample)
        } else if sample >= 0 {
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
        of group: Int, in split: Split, _ number: Int, _ sample: Int32, _ batch: MicroBatch
    ) -> Int32 {
        let part = split.parts[number]
        var end = Int(part.historyEnd[group])
        let first = Int(part.historyBegin[group])
        if let rule = needs.sessions, let times = part.behaviorTime {
            end = rule.end(times, first, end, before: part.time?[group])
        }
        let begin = max(first, end - historyLimit)
        // A slice is known by its part, its end and its length; an empty one is the same wherever it lies.
        let slice = begin == end ? 0 : mix64(UInt64(end) &+ mix64(UInt64(number) << 32 | UInt64(end - begin))) | 1
        let (history, isNew) = histories.number(of: slice)
        guard isNew else {
            let positions = Int(batch.historyOffsets[Int(history)])..<Int(batch.historyOffsets[Int(history) + 1])
            for position in positions {
                let behavior = Int(batch.positionBehavior[position])
                for field in behaviorTables.indices {
                    count(batch.behaviorRows[field][behavior], batch.tables[behaviorTables[field]], sample)
                }
            }
            return history
        }
        if let rule = needs.sessions {
            sessions.removeAll()
            // A part without any behavior has no times either.
            if let times = part.behaviorTime {
                rule.divide(times, begin, end) { sessions.append(($0.lowerBound, $0.upperBound)) }
            }
            for place in stride(from: sessions.count - 1, through: 0, by: -1) {
                let (first, last) = sessions[place]
                for position in first..<last { addBehavior(position, in: part, sample, batch) }
                batch.sessionOffsets.append(Int32(truncatingIfNeeded: batch.positionBehavior.count))
            }
            batch.historySessions.append(Int32(truncatingIfNeeded: batch.sessionCount))
        } else {
            for position in begin..<end { addBehavior(position, in: part, sample, batch) }
            if let negatives = order.negatives {
                drawNegatives(negatives, against: begin..<end, split.firstGroup[number] + group, in: split, part, batch)
            }
        }
        batch.historyOffsets.append(Int32(truncatingIfNeeded: batch.positionBehavior.count))
        return history
    }

    private func addBehavior(_ position: Int, in part: SplitPart, _ sample: Int32, _ batch: MicroBatch) {
        batch.positionBehavior.append(behavior(position, in: part, sample, batch))
        if needs.times, let times = part.behaviorTime { batch.positionTimes.append(times[position]) }
    }

    /// For every behavior but the first of a history one that did not happen; its ids are in no sample.
    private func drawNegatives(
        _ sampler: NegativeSampler, against positions: Range<Int>, _ group: Int, in split: Split, _ part: SplitPart,
        _ batch: MicroBatch
    ) {
        for position in positions {
            guard position > positions.lowerBound else {
                batch.negatives.append(-1)
                continue
            }
            let (number, event) = sampler.draw(
                epoch: order.epoch, group: group, position: positions.upperBound - position,
                avoiding: part.behavior[0][position])
            batch.negatives.append(behavior(event, in: split.parts[number], -1, batch))
        }
    }

    /// The number of a behavior among the distinct ones; its ids count for a sample.
    @inline(__always)
    private func behavior(_ position: Int, in part: SplitPart, _ sample: Int32, _ batch: MicroBatch) -> Int32 {
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
        return behavior
    }
}
