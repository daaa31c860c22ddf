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

    /// A file to be written: the state it holds is the shard's at the moment it is asked for.
    package enum Event: Equatable {
        /// The state after this step is due to be written unasked.
        case checkpointDue(step: Int)
    }

    struct Parked {
        let from: [UInt8]
        let message: Message
        let since: ContinuousClock.Instant
    }

    /// Counters of what passed through.
    let statistics: ShardStatistics
    /// Steps applied.
    package private(set) var step: Int

    package let options: ShardOptions
    package let tables: [Table]
    package let dense: DenseSlice
    let denseRange: Range<Int>
    let identity: Header
    private let limits = Limits()
    private let scratch = Scratch()
    private let replies = BufferPool()
    private let keys = KeyLists()
    private let accumulator: StepAccumulator
    private let widths: [Int]
    private let gathered = Column<UInt64>()
    private var contribution: [RowGradients]
    private var opened = -1
    private let noFloats: UnsafePointer<Float>
    private let noCounts: UnsafePointer<UInt32>
    private let nothing = Column<UInt32>(capacity: 16)
    private(set) var parked: [Parked] = []
    /// Far above workers × requests in flight; bounds what a peer gone mad can make a shard hold.
    private static let parkedLimit = 4096

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
            refuse(header, from, .otherJob, "this shard serves job \(identity.job), not \(header.job)", &answers)
            return
        }
        guard header.epoch == identity.epoch else {
            refuse(header, from, .oldEpoch, "the map is of epoch \(identity.epoch), not \(header.epoch)", &answers)
            return
        }
        do {
            switch header.kind {
            case .pull: try pull(message, from, &answers)
            case .push:
                try push(message, from, &answers, &events)
            default:
                statistics.malformed(header)
                refuse(header, from, .malformed, "a shard takes pulls and pushes, not \(header.kind)", &answers)
            }
        } catch {
            statistics.malformed(header)
            refuse(header, from, .malformed, "\(error)", &answers)
        }
    }

    /// The contributions to the next step that are held.
    var nodesHeld: [Subtree] { opened == step + 1 ? accumulator.nodes : [] }

    // MARK: Pull

    private func pull(_ message: Message, _ from: [UInt8], _ answers: inout [Answer]) throws {
        let header = message.header
        let evaluates = header.flags.contains(.evaluation)
        // A training pull names the step it is for, an evaluation the state it wants.
        let wanted = Int(header.step) - (evaluates ? 0 : 1)
        if wanted > step {
            guard parked.count < Shard.parkedLimit else {
                refuse(header, from, .unavailable, "\(parked.count) pulls wait already; ask again", &answers)
                return
            }
            statistics.parked()
            parked.append(Parked(from: from, message: message, since: .now))
            return
        }
        guard wanted == step else {
            refuse(
                header, from, .stepPassed, "state \(wanted) is gone: this shard is after step \(step)", &answers)
            return
        }
        let view = try PullView(decoding: message, limits: limits, tableWidths: widths, scratch: scratch)
        guard view.isKeyListIntact else {
            throw WireError.mismatch(.pull, what: "hash of its key list", found: 0, expected: 1)
        }
        guard let foreign = firstForeign(view) else {
            if !evaluates { keys.keep(view) }
            let began = statistics.now
            let answer = try values(for: view)
            answers.append(Answer(to: from, message: answer))
            statistics.answered(view, with: answer, state: wanted, since: began)
            return
        }
        refuse(header, from, .notOwner, "id \(foreign) does not live on shard \(options.shard)", &answers)
    }

    private func firstForeign(_ view: PullView) -> UInt64? {
        for (table, rows) in zip(tables, view.tables) {
            for row in rows.range where !table.owns(view.ids[row]) { return view.ids[row] }
        }
        return nil
    }

    private func values(for view: PullView) throws -> Message {
        let buffer = replies.take(bytes: view.tables.floatCount * 4)
        let floats = buffer.array(of: Float.self, count: view.tables.floatCount)
        if let ids = view.ids.baseAddress, let base = floats.baseAddress {
            for (table, rows) in zip(tables, view.tables) {
                try table.pull(ids: ids + rows.firstRow, count: rows.rows, into: base + rows.firstFloat)
                statistics.pulled(table, rows: rows.rows)
            }
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

    // MARK: Push

    private func push(
        _ message: Message, _ from: [UInt8], _ answers: inout [Answer], _ events: inout [Event]
    ) throws {
        let header = message.header
        guard Int(header.step) == step + 1 else {
            if header.step <= step {
                statistics.duplicate(header)
                acknowledge(header, from, &answers)
            } else {
                refuse(header, from, .stepAhead, "step \(header.step) before step \(step + 1) is complete", &answers)
            }
            return
        }
        let view = try PushView(
            decoding: message, limits: limits, tableWidths: widths, dense: denseRange.count, scratch: scratch)
        try check(view)
        guard let ids = try ids(of: view, from, &answers) else { return }
        acknowledge(header, from, &answers)
        let began = statistics.now
        try contribute(view, ids)
        statistics.pushed(since: began)
        guard step == Int(header.step) else { return }
        if options.plan.checkpoints(after: step) { events.append(.checkpointDue(step: step)) }
        release(&answers, &events)
    }

    /// Whether the counts of the push are those that this job's plan gives its subtree.
    private func check(_ view: PushView) throws(WireError) {
        let header = view.header
        let count = options.plan.microBatches(of: Int(header.step))
        guard Int(header.microBatches) == count else {
            throw .mismatch(.push, what: "micro-batches", found: Int(header.microBatches), expected: count)
        }
        let samples = options.plan.positions(of: Int(header.step)).count
        let covered = Subtree(packed: header.subtree).covers(of: count)
        let size = options.plan.microBatch
        let expected = min(covered.upperBound * size, samples) - covered.lowerBound * size
        guard Int(header.samples) == expected else {
            throw .mismatch(.push, what: "samples of its subtree", found: Int(header.samples), expected: expected)
        }
        guard Int(header.dense) == denseRange.count else {
            throw .mismatch(.push, what: "dense floats", found: Int(header.dense), expected: denseRange.count)
        }
    }

    /// The ids of a push, from its pull or its own frame; `nil` when the pull is not known here (refused).
    private func ids(
        of view: PushView, _ from: [UInt8], _ answers: inout [Answer]
    ) throws(WireError) -> UnsafePointer<UInt64>? {
        if case .ids(let own) = view.keys {
            for (table, rows) in zip(tables, view.tables) {
                for row in rows.range where !table.owns(own[row]) {
                    refuse(view.header, from, .notOwner, "id \(own[row]) lives on another shard", &answers)
                    return nil
                }
            }
            gathered.resize(own.count)
            if let source = own.baseAddress { gathered.base.update(from: source, count: own.count) }
            return UnsafePointer(gathered.base)
        }
        guard let list = keys.list(of: view.header.rank, hash: view.header.keyListHash) else {
            refuse(view.header, from, .sendKeys, "the key list of the pull is not held here", &answers)
            return nil
        }
        try view.checkRows(against: list.tables)
        guard case .positions(let positions) = view.keys else { return UnsafePointer(list.ids.base) }
        gathered.resize(positions.count)
        for row in 0..<positions.count { gathered[row] = list.ids[Int(positions[row])] }
        return UnsafePointer(gathered.base)
    }

    /// Holds the sums of a subtree; a step that one push completes is applied from the message without a copy.
    private func contribute(_ view: PushView, _ ids: UnsafePointer<UInt64>) throws {
        let node = Subtree(packed: view.header.subtree)
        if opened != step + 1 {
            accumulator.begin(step: step + 1, microBatches: Int(view.header.microBatches))
            opened = step + 1
        }
        for (index, rows) in view.tables.enumerated() {
            contribution[index] = RowGradients(
                ids: ids + rows.firstRow, counts: (view.rowSamples.baseAddress ?? noCounts) + rows.firstRow,
                gradients: (view.gradients.baseAddress ?? noFloats) + rows.firstFloat, count: rows.rows)
        }
        let dense = view.dense.baseAddress ?? noFloats
        if accumulator.isRootAlone(node) {
            statistics.held(view)
            try contribution.withUnsafeBufferPointer { parts in
                try apply(samples: Int(view.header.samples), dense: dense) { parts[$0] }
            }
            return
        }
        let outcome = contribution.withUnsafeBufferPointer { parts in
            parts.baseAddress.map {
                accumulator.add(node: node, samples: Int(view.header.samples), tables: $0, dense: dense)
            }
        }
        if outcome == .alreadyCovered {
            statistics.duplicate(view.header)
        } else {
            statistics.held(view)
        }
        guard accumulator.isComplete else { return }
        try apply(samples: accumulator.samples, dense: accumulator.dense) { accumulator.rows(table: $0) }
    }

    /// Regularizes and updates once with the sums of the complete step.
    private func apply(samples: Int, dense gradient: UnsafePointer<Float>, rows: (Int) -> RowGradients) throws {
        let scale = 1 / Float(samples)
        let began = statistics.now
        var regularization = 0.0
        for (index, table) in tables.enumerated() {
            let part = rows(index)
            let applied = try table.apply(
                ids: part.ids, count: part.count, gradients: part.gradients, counts: part.counts, scale: scale,
                step: step + 1)
            regularization += applied.regularization
            statistics.updated(index, part)
        }
        dense.apply(gradient: gradient, scale: scale, step: step + 1)
        step += 1
        statistics.applied(regularization, since: began)
    }

    /// Answers the pulls that waited for the step just applied.
    private func release(_ answers: inout [Answer], _ events: inout [Event]) {
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for item in waiting {
            statistics.released(item.since)
            take(item.message, from: item.from, answers: &answers, events: &events)
        }
    }

    private func acknowledge(_ header: Header, _ from: [UInt8], _ answers: inout [Answer]) {
        let message = Message.pushed(to: header, from: identity)
        statistics.acknowledged(with: message)
        answers.append(Answer(to: from, message: message))
    }

    private func refuse(
        _ header: Header, _ from: [UInt8], _ reason: Refusal.Reason, _ text: String, _ answers: inout [Answer]
    ) {
        let message = Message.refused(to: header, from: identity, Refusal(reason, text))
        statistics.refused(reason, with: message)
        answers.append(Answer(to: from, message: message))
    }
}
