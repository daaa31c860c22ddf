package import Parameters
import Telemetry
import Tensors
package import Wire

/// One shard: rows of its partitions, its slice of the dense vector, and the step that they have reached.
///
/// A state machine without socket, clock or thread: a message goes in, answers come out. Mode `sync`: a pull for step
/// t is answered from the state after step t − 1, so the pull itself is the barrier; a step is applied when the pushes
/// that the shard holds cover all its micro-batches.
package final class Shard {
    /// An answer, and to which of the asking connections, as the transport names it.
    package typealias Answer = (to: [UInt8], message: Message)

    /// What a worker asks, and over which connection.
    struct Request {
        let from: [UInt8]
        let message: Message
        /// Since when it waits, if it has to.
        var since = ContinuousClock.now

        var header: Header { message.header }
    }

    /// Why a message is not taken: the answer to it.
    struct Refused: Error {
        let reason: Refusal.Reason
        let text: String

        init(_ reason: Refusal.Reason, _ text: String) { (self.reason, self.text) = (reason, text) }
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
    var opened = -1
    /// Where arrays of no elements begin.
    let nothing = Column<UInt32>(capacity: 16)
    private(set) var parked: [Request] = []
    /// Answers to the message in work, also to parked pulls.
    private var answers: [Answer] = []
    /// A worker waits for one pull at a time; the one before may have been to score.
    private static let parkedPerWorker = 2
    /// The table (or the dense parameters) in which the update to `step` left numbers that are not finite: nothing is
    /// served from then on, and no file of the state can be written.
    package internal(set) var lost: String?

    /// A shard at its plan's start step, empty until `restore` fills it.
    ///
    /// - Parameter identity: a header with the job, epoch, rank and incarnation under which it answers.
    package init(_ options: ShardOptions, identity: Header) throws {
        self.options = options
        self.identity = identity
        step = options.plan.startStep
        statistics = ShardStatistics(tables: options.tables.count, workers: options.workers, isOn: options.statistics)
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
        accumulator = StepAccumulator(widths: widths, denseCount: denseRange.count)
    }

    /// Takes a message of a worker; returns the answers in order, also those to parked pulls.
    ///
    /// Whatever the bytes are, they change nothing unless all of the message is valid.
    package func receive(_ message: Message, from: [UInt8]) -> [Answer] {
        if message.header.kind == .probe {
            // Whoever measures the way is no part of the job.
            return [(from, message.probed(from: identity))]
        }
        statistics.received(message)
        take(Request(from: from, message: message))
        defer { answers = [] }
        return answers
    }

    private func take(_ request: Request) {
        let header = request.header
        do {
            guard header.job == identity.job else {
                throw Refused(.otherJob, "this shard serves another job than \(header.job)")
            }
            guard header.epoch == identity.epoch else {
                throw Refused(.oldEpoch, "the map is of epoch \(identity.epoch), not \(header.epoch)")
            }
            if let lost {
                throw Refused(.unavailable, "\(ParametersError.diverged(table: lost, id: nil)) (after step \(step))")
            }
            guard knows(header) else {
                throw WireError(
                    "\(header.kind) comes of \(header.role) \(header.rank), but only workers 0 to \(options.workers - 1), the "
                        + "processes that the scheduler let in, may send it")
            }
            switch header.kind {
            case .pull: try pull(request)
            case .push: try push(request)
            default: throw WireError("a shard takes pulls and pushes, not \(header.kind)")
            }
        } catch let refused as Refused {
            refuse(request, refused.reason, refused.text)
        } catch ParametersError.foreignId(let id, let table, _) {
            refuse(request, .notOwner, "id \(id) of table \(table) does not live on shard \(options.shard)")
        } catch {
            statistics.malformed(header)
            refuse(request, .malformed, "\(error)")
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

    private func pull(_ request: Request) throws {
        let header = request.header
        let evaluates = header.flags.contains(.evaluation)
        // A training pull names the step it is for, an evaluation the state it wants.
        let wanted = Int(header.step) - (evaluates ? 0 : 1)
        guard wanted >= step else {
            throw Refused(.stepPassed, "state \(wanted) is gone: this shard is after step \(step)")
        }
        guard wanted <= options.plan.lastStep else {
            throw Refused(.stepAhead, "the last step is \(options.plan.lastStep), not \(wanted)")
        }
        let view = try PullView(decoding: request.message, limits: limits, tableWidths: widths, scratch: scratch)
        guard wanted == step else {
            park(request)
            return
        }
        guard view.isKeyListIntact else {
            throw WireError.mismatch(.pull, what: "hash of its key list", found: 0, expected: 1)
        }
        let began = statistics.now
        if !evaluates, keys.list(of: header.rank, hash: header.keyListHash) == nil {
            try check(view.ids.baseAddress, view.tables)
        }
        let answer = try values(for: view)
        if !evaluates { keys.keep(view) }
        answers.append((request.from, answer))
        statistics.answered(view, with: answer, state: wanted, since: began)
    }

    /// Keeps a pull for the step that it waits for: a repeat in the place of what it repeats, and a worker's last alone.
    private func park(_ item: Request) {
        let header = item.header
        let own = parked.indices.filter { parked[$0].header.rank == header.rank }
        let repeated = own.first {
            parked[$0].header.request == header.request && parked[$0].header.incarnation == header.incarnation
        }
        if let repeated {
            parked[repeated] = Request(from: item.from, message: item.message, since: parked[repeated].since)
            return
        }
        if own.count >= Shard.parkedPerWorker { parked.remove(at: own[0]) }
        statistics.counts.parkings += 1
        parked.append(item)
    }

    /// Checks ids of all tables: none 0, foreign or twice.
    func check(_ ids: UnsafePointer<UInt64>?, _ rows: [TableRows]) throws(ParametersError) {
        guard let ids else { return }
        for (table, rows) in zip(tables, rows) { try table.check(ids: ids + rows.firstRow, count: rows.rows) }
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
    func release() {
        let waiting = parked
        parked.removeAll(keepingCapacity: true)
        for item in waiting {
            statistics.released(item.since)
            take(item)
        }
    }

    func acknowledge(_ request: Request) {
        let message = Message.pushed(to: request.header, from: identity)
        statistics.counts.otherBytes += message.byteCount
        answers.append((request.from, message))
    }

    private func refuse(_ request: Request, _ reason: Refusal.Reason, _ text: String) {
        let message = Message.refused(to: request.header, from: identity, Refusal(reason, text))
        statistics.refused(reason, with: message)
        answers.append((request.from, message))
    }
}
