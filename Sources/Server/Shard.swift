package import Parameters
import Tensors
package import Wire

/// One shard: rows of its partitions, its slice of the dense vector, and the step that they have reached.
///
/// A state machine without socket, clock or thread: a message goes in, answers come out. Mode `sync`: a pull for step
/// t is answered from the state after step t − 1, so the pull itself is the barrier; a step is applied when the pushes
/// that the shard holds cover all its micro-batches.
package final class Shard {
    /// An answer, and to which of the asking connections.
    package struct Answer {
        /// The connection, as the transport names it.
        package let to: [UInt8]
        /// What to send.
        package let message: Message
    }

    /// Something for its thread to see to.
    package enum Event: Equatable {
        /// The state after this step is due to be written unasked: it is the shard's at this moment.
        case checkpointDue(step: Int)
        /// The update to this step left numbers that are not finite in a table (or in the dense parameters): the shard
        /// serves nothing from now on, and no file of its state can be written.
        case diverged(step: Int, table: String)
    }

    struct Parked {
        let from: [UInt8]
        let message: Message
        let since: ContinuousClock.Instant
    }

    /// Counters of what passed through.
    let statistics: ShardStatistics
    /// Steps applied.
    package internal(set) var step: Int

    package let options: ShardOptions
    package let tables: [Table]
    package let dense: DenseSlice
    let denseRange: Range<Int>
    let identity: Header
    let limits = Limits()
    let scratch = Scratch()
    private let replies = BufferPool()
    let keys = KeyLists()
    let accumulator: StepAccumulator
    let widths: [Int]
    let gathered = Column<UInt64>()
    var contribution: [RowGradients]
    var opened = -1
    let noFloats: UnsafePointer<Float>
    let noCounts: UnsafePointer<UInt32>
    private let nothing = Column<UInt32>(capacity: 16)
    private(set) var parked: [Parked] = []
    /// A worker waits for one pull at a time; the one before may have been to score.
    private static let parkedPerWorker = 2
    /// Why nothing is served any more.
    var diverged: String?

    /// A shard at its plan's start step, empty until `restore` fills it.
    ///
    /// - Parameter identity: a header with the job, epoch, rank and incarnation under which it answers.
    package init(_ options: ShardOptions, identity: Header) throws {
        self.options = options
        self.identity = identity
        step = options.plan.startStep
        statistics = ShardStatistics(
            tables: options.tables.count, workers: options.workers, isOn: options.statistics)
        widths = options.tables.map(\.width)
        let owned = Array(options.map.partitions(ofShard: options.shard))
        tables = try options.tables.enumerated().map { index, table in
            try Table(
                index: UInt32(index), options: table, partitionBits: options.map.bits, partitions: owned,
                seed: options.seed)
        }
        denseRange = options.map.denseRange(ofShard: options.shard, count: options.layout.count)
        dense = try DenseSlice(layout: options.layout, range: denseRange, options: options.dense)
        options.initialDense.withUnsafeBufferPointer { [dense, denseRange] whole in
            if let base = whole.baseAddress { dense.load(base + denseRange.lowerBound) }
        }
        noCounts = UnsafePointer(nothing.base)
        noFloats = UnsafeRawPointer(nothing.base).assumingMemoryBound(to: Float.self)
        let empty = Column<UInt64>(capacity: 1)
        contribution = widths.map { [noFloats, noCounts] _ in
            RowGradients(ids: UnsafePointer(empty.base), counts: noCounts, gradients: noFloats, count: 0)
        }
        accumulator = StepAccumulator(widths: widths, denseCount: denseRange.count)
    }

    /// Takes a message of a worker; answers, also to parked pulls, are appended in order.
    ///
    /// Whatever the bytes are, they change nothing unless all of the message is valid.
    package func receive(_ message: Message, from: [UInt8], answers: inout [Answer], events: inout [Event]) {
        if message.header.kind == .probe {
            // Whoever measures the way is no part of the job.
            answers.append(Answer(to: from, message: message.probed(from: identity)))
            return
        }
        statistics.received(message)
        take(message, from: from, answers: &answers, events: &events)
    }

    private func take(_ message: Message, from: [UInt8], answers: inout [Answer], events: inout [Event]) {
        let header = message.header
        guard header.job == identity.job else {
            refuse(header, from, .otherJob, "this shard serves another job than \(header.job)", &answers)
            return
        }
        guard header.epoch == identity.epoch else {
            refuse(header, from, .oldEpoch, "the map is of epoch \(identity.epoch), not \(header.epoch)", &answers)
            return
        }
        guard diverged == nil else {
            refuse(header, from, .unavailable, diverged ?? "", &answers)
            return
        }
        do {
            guard knows(header) else {
                throw WireError(
                    "\(header.kind) comes of \(header.role) \(header.rank), but only workers 0 to \(options.workers - 1), the "
                        + "processes that the scheduler let in, may send it")
            }
            switch header.kind {
            case .pull: try pull(message, from, &answers)
            case .push: try push(message, from, &answers, &events)
            default:
                statistics.malformed(header)
                refuse(header, from, .malformed, "a shard takes pulls and pushes, not \(header.kind)", &answers)
            }
        } catch {
            statistics.malformed(header)
            refuse(header, from, .malformed, "\(error)", &answers)
        }
    }

    /// Whether a message is of a worker of this job: of the very process that the scheduler has let in.
    func knows(_ header: Header) -> Bool {
        let rank = Int(header.rank)
        return header.job == identity.job && header.role == .worker && rank < options.workers
            && (options.incarnations.isEmpty
                || rank < options.incarnations.count
                    && options.incarnations[rank] == header.incarnation)
    }

    /// Pulls that wait for a step: at most two of a worker.
    package var parkedCount: Int { parked.count }

    /// The contributions to the next step that are held.
    var nodesHeld: [Subtree] { opened == step + 1 ? accumulator.nodes : [] }

    // MARK: Pull

    private func pull(_ message: Message, _ from: [UInt8], _ answers: inout [Answer]) throws {
        let header = message.header
        let evaluates = header.flags.contains(.evaluation)
        // A training pull names the step it is for, an evaluation the state it wants.
        let wanted = Int(header.step) - (evaluates ? 0 : 1)
        guard wanted >= step else {
            refuse(
                header, from, .stepPassed, "state \(wanted) is gone: this shard is after step \(step)", &answers)
            return
        }
        guard wanted <= options.plan.lastStep else {
            refuse(header, from, .stepAhead, "the last step is \(options.plan.lastStep), not \(wanted)", &answers)
            return
        }
        let view = try PullView(decoding: message, limits: limits, tableWidths: widths, scratch: scratch)
        guard wanted == step else {
            park(Parked(from: from, message: message, since: .now))
            return
        }
        guard view.isKeyListIntact else {
            throw WireError.mismatch(.pull, what: "hash of its key list", found: 0, expected: 1)
        }
        let began = statistics.now
        let answer: Message
        do {
            if !evaluates, keys.list(of: header.rank, hash: header.keyListHash) == nil {
                try check(view.ids.baseAddress, view.tables)
            }
            answer = try values(for: view)
        } catch ParametersError.foreignId(let id, let table, _) {
            refuse(header, from, .notOwner, foreign(id, table), &answers)
            return
        }
        if !evaluates { keys.keep(view) }
        answers.append(Answer(to: from, message: answer))
        statistics.answered(view, with: answer, state: wanted, since: began)
    }

    /// Keeps a pull for the step that it waits for: a repeat in the place of what it repeats, and a worker's last alone.
    private func park(_ item: Parked) {
        let header = item.message.header
        let own = parked.indices.filter { parked[$0].message.header.rank == header.rank }
        let repeated = own.first {
            let other = parked[$0].message.header
            return other.request == header.request && other.incarnation == header.incarnation
        }
        if let repeated {
            parked[repeated] = Parked(from: item.from, message: item.message, since: parked[repeated].since)
            return
        }
        if own.count >= Shard.parkedPerWorker { parked.remove(at: own[0]) }
        statistics.parked()
        parked.append(item)
    }

    /// Checks ids of all tables: none 0, foreign or twice.
    func check(_ ids: UnsafePointer<UInt64>?, _ rows: [TableRows]) throws(ParametersError) {
        guard let ids else { return }
        for (table, rows) in zip(tables, rows) { try table.check(ids: ids + rows.firstRow, count: rows.rows) }
    }

    /// What is wrong with them; a value, as the optimizer of Swift 6.3 does not get over a pattern that catches a part.
    func fault(of ids: UnsafePointer<UInt64>?, _ rows: [TableRows]) -> ParametersError? {
        do {
            try check(ids, rows)
            return nil
        } catch {
            return error
        }
    }

    func foreign(_ id: UInt64, _ table: String) -> String {
        "id \(id) of table \(table) does not live on shard \(options.shard)"
    }

    private func values(for view: PullView) throws(ParametersError) -> Message {
        let buffer = replies.take(bytes: view.tables.floatCount * 4)
        let floats = buffer.array(of: Float.self, count: view.tables.floatCount)
        if let ids = view.ids.baseAddress, let base = floats.baseAddress {
            for (table, rows) in zip(tables, view.tables) {
                try table.pull(ids: ids + rows.firstRow, count: rows.rows, into: base + rows.firstFloat)
            }
            for (table, rows) in zip(tables, view.tables) { statistics.pulled(table, rows: rows.rows) }
        }
        var slice = Payload.empty
        if view.header.dense > 0 {
            let copy = replies.take(bytes: denseRange.count * 4)
            let target = copy.array(of: Float.self, count: denseRange.count)
            if let base = target.baseAddress { base.update(from: dense.weights, count: denseRange.count) }
            slice = Payload(copy)
        }
        return .values(to: view.header, from: identity, values: Payload(buffer), dense: slice)
    }

    // MARK: Answers

    /// Answers the pulls that waited for the step just applied.
    func release(_ answers: inout [Answer], _ events: inout [Event]) {
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for item in waiting {
            statistics.released(item.since)
            take(item.message, from: item.from, answers: &answers, events: &events)
        }
    }

    func acknowledge(_ header: Header, _ from: [UInt8], _ answers: inout [Answer]) {
        let message = Message.pushed(to: header, from: identity)
        statistics.acknowledged(with: message)
        answers.append(Answer(to: from, message: message))
    }

    func refuse(
        _ header: Header, _ from: [UInt8], _ reason: Refusal.Reason, _ text: String, _ answers: inout [Answer]
    ) {
        let message = Message.refused(to: header, from: identity, Refusal(reason, text))
        statistics.refused(reason, with: message)
        answers.append(Answer(to: from, message: message))
    }
}
