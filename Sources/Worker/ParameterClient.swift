import Telemetry
import Tensors
import Wire

/// A worker's side of pull and push: one request a shard, retried until it is answered.
///
/// A state machine: messages to send come out, answers and time go in. A request is repeated with the same bytes, and
/// the shard's coverage makes a repeated push harmless, so a lost message costs its deadline and nothing else.
final class ParameterClient {
    /// A message for a shard.
    typealias Outgoing = (shard: Int, message: Message)

    /// What an answer brought about.
    enum Progress {
        /// Nothing that the worker waits for.
        case nothing
        /// The last shard's values are in.
        case pulled
        /// A push has to be sent again, with its ids.
        case resend(Outgoing)
    }

    /// The shard cannot serve this worker; it has to stop.
    struct Refused: FailureCausing, CustomStringConvertible {
        let shard: Int
        let refusal: Refusal
        /// Bytes that contradict the shard's schema or plan come of another configuration.
        var cause: FailureReport.Cause { refusal.reason == .malformed ? .config : .other }
        var isConsequence: Bool { refusal.reason != .malformed }
        var description: String { "shard \(shard) refused (\(refusal.reason.rawValue)): \(refusal.text)" }
    }

    private struct Request {
        let shard: Int
        let message: Message
        var deadline: ContinuousClock.Instant
        var tries = 1
        /// For a push: the ids of its pull, should the shard no longer hold the list.
        var ids = Payload.empty
    }

    /// What the newest pull asked of one shard: its answer and the pushes of the step go by it.
    struct Exchange {
        /// Where each table's rows stand in the answer.
        let layout: [TableRows]
        /// The hash of the ids.
        let hash: UInt64
        /// All ids, table by table.
        let ids: Payload
    }

    /// Everything that the worker counts, its requests among it: each once, however often it was repeated.
    var counts = WorkerReport()
    private let identity: Header
    private let map: PartitionMap
    private let widths: [Int]
    private let denseCount: Int
    private let timeout: Duration
    private let limits = Limits()
    private let scratch = Scratch()
    let buffers = BufferPool()
    private var nextRequest: UInt32 = 1
    private var pulls: [UInt32: Request] = [:]
    private var pushes: [UInt32: Request] = [:]
    /// By shard.
    private(set) var exchanges: [Exchange]
    /// By table: the plan's row → the row of the contribution that is packed, −1 for none.
    let rowOf: [Column<Int32>]

    /// - Parameter identity: a header with the job, epoch, rank and incarnation of this worker.
    init(identity: Header, map: PartitionMap, widths: [Int], denseCount: Int, timeout: Duration) {
        self.identity = identity
        self.map = map
        self.widths = widths
        self.denseCount = denseCount
        self.timeout = timeout
        exchanges = [Exchange](repeating: Exchange(layout: [], hash: 0, ids: .empty), count: map.shards)
        rowOf = widths.map { _ in Column() }
    }

    /// What it still waits for, in words.
    var waitsFor: String {
        let shards = Set(pulls.values.map(\.shard)).sorted().map(String.init).joined(separator: ", ")
        return shards.isEmpty ? "nothing" : "values of shard \(shards)"
    }

    // MARK: Pull

    /// Asks every shard for its rows of a plan and its slice of the dense vector.
    func pull(_ plan: StepPlan, evaluation: Bool, at time: ContinuousClock.Instant) -> [Outgoing] {
        pulls.removeAll(keepingCapacity: true)
        return (0..<map.shards).map { shard in
            let counts = plan.tables.map { $0.rows(of: shard).count }
            let rows = counts.reduce(0, +)
            let ids = buffers.take(bytes: rows * 8)
            let target = ids.array(of: UInt64.self, count: rows)
            var first = 0
            for table in plan.tables {
                let range = table.rows(of: shard)
                if let base = target.baseAddress, !range.isEmpty {
                    (base + first).update(from: table.ids.base + range.lowerBound, count: range.count)
                }
                first += range.count
            }
            self.counts.pulledRows += rows
            self.counts.pulls += 1
            var header = header(step: plan.step)
            header.microBatches = 0
            let payload = Payload(ids)
            let message = Message.pull(
                header, tableCounts: Payload(copying: counts.map(UInt32.init)), ids: payload,
                dense: map.denseRange(ofShard: shard, count: denseCount).count, evaluation: evaluation)
            exchanges[shard] = Exchange(
                layout: TableRows.laidOut(counts: counts, widths: widths), hash: message.header.keyListHash,
                ids: payload)
            pulls[message.header.request] = Request(shard: shard, message: message, deadline: time + timeout)
            return send(shard, message)
        }
    }

    /// Forgets what was asked for: answers that come later are nobody's.
    func cancelPull() { pulls.removeAll(keepingCapacity: true) }

    // MARK: Push

    /// Sends a subtree's sums to every shard.
    func push(
        _ contribution: Contribution, node: Subtree, of plan: StepPlan, isWhole: Bool, at time: ContinuousClock.Instant
    ) -> [Outgoing] {
        locate(contribution, in: plan)
        return (0..<map.shards).map { shard in
            var header = header(step: plan.step)
            header.subtree = node.packed
            header.microBatches = UInt16(plan.microBatchCount)
            header.samples = UInt32(contribution.samples)
            header.keyListHash = exchanges[shard].hash
            let range = map.denseRange(ofShard: shard, count: denseCount)
            let dense = buffers.take(bytes: range.count * 4)
            if let base = dense.array(of: Float.self, count: range.count).baseAddress {
                base.update(from: contribution.dense.base + range.lowerBound, count: range.count)
            }
            let packed = pack(contribution, plan, shard, isWhole: isWhole)
            let message = Message.push(
                header, tableCounts: Payload(copying: packed.counts.map(UInt32.init)), positions: packed.positions,
                rowSamples: packed.samples, gradients: packed.gradients, dense: Payload(dense))
            pushes[header.request] = Request(
                shard: shard, message: message, deadline: time + timeout, ids: exchanges[shard].ids)
            counts.pushes += 1
            counts.pushedRows += packed.counts.reduce(0, +)
            return send(shard, message)
        }
    }

    // MARK: Answers and time

    /// Takes an answer of a shard; values go to `values` and `dense` at the plan's rows.
    func receive(
        _ message: Message, from shard: Int, plan: StepPlan, values: [Column<Float>], dense: DenseVector,
        at time: ContinuousClock.Instant
    ) throws -> Progress {
        let number = message.header.request
        counts.receivedBytes += message.byteCount
        switch message.header.kind {
        case .pushed:
            pushes[number] = nil
            return .nothing
        case .values:
            guard let request = pulls[number], request.shard == shard else { return .nothing }
            let range = map.denseRange(ofShard: shard, count: denseCount)
            // What cannot be read is as good as lost: the deadline repeats the request.
            guard
                let view = try? ValuesView(
                    decoding: message, expecting: exchanges[shard].layout, dense: range.count, limits: limits,
                    scratch: scratch)
            else {
                counts.refused["unreadable", default: 0] += 1
                return .nothing
            }
            copy(view, from: shard, plan: plan, to: values)
            if let base = view.dense.baseAddress {
                (dense.base + range.lowerBound).update(from: base, count: range.count)
            }
            pulls[number] = nil
            guard pulls.isEmpty else { return .nothing }
            // The state that was answered proves that every earlier push is applied: an implicit acknowledgement.
            let applied =
                Int(request.message.header.step) - (request.message.header.flags.contains(.evaluation) ? 0 : 1)
            pushes = pushes.filter { $0.value.message.header.step > applied }
            return .pulled
        case .refused:
            guard let refusal = try? Refusal(decoding: message, limits: limits) else {
                counts.refused["unreadable", default: 0] += 1
                return .nothing
            }
            return try refused(refusal, number, shard, at: time)
        default: return .nothing
        }
    }

    private func copy(_ view: ValuesView, from shard: Int, plan: StepPlan, to values: [Column<Float>]) {
        guard let base = view.values.baseAddress else { return }
        for (index, rows) in exchanges[shard].layout.enumerated() where rows.rows > 0 {
            let first = plan.tables[index].rows(of: shard).lowerBound
            (values[index].base + first * rows.width).update(
                from: base + rows.firstFloat, count: rows.rows * rows.width)
        }
    }

    private func refused(
        _ refusal: Refusal, _ number: UInt32, _ shard: Int, at time: ContinuousClock.Instant
    ) throws -> Progress {
        counts.refused[refusal.reason.rawValue, default: 0] += 1
        switch refusal.reason {
        case .sendKeys:
            guard var request = pushes[number], !request.message.header.flags.contains(.keys) else { return .nothing }
            request = Request(
                shard: shard, message: withIds(request.message, of: request.ids), deadline: time + timeout)
            pushes[number] = request
            return .resend(send(shard, request.message))
        case .unavailable:
            return .nothing  // the deadline repeats it
        case .otherJob, .oldEpoch, .stepPassed, .stepAhead, .notOwner, .malformed:
            guard pulls[number] != nil || pushes[number] != nil else { return .nothing }
            throw Refused(shard: shard, refusal: refusal)
        }
    }

    /// Repeats what has not been answered in time.
    func tick(at time: ContinuousClock.Instant) -> [Outgoing] {
        repeatDue(&pulls, at: time) + repeatDue(&pushes, at: time)
    }

    private func repeatDue(_ requests: inout [UInt32: Request], at time: ContinuousClock.Instant) -> [Outgoing] {
        // In order: what a worker sends depends on nothing but what it was told.
        requests.keys.sorted().compactMap { number in
            guard var request = requests[number], request.deadline < time else { return nil }
            request.tries += 1
            request.deadline = time + timeout * min(8, request.tries)
            requests[number] = request
            counts.retries += 1
            return send(request.shard, request.message)
        }
    }

    private func header(step: Int) -> Header {
        var header = identity
        header.step = UInt32(step)
        header.request = nextRequest
        nextRequest &+= 1
        return header
    }

    private func send(_ shard: Int, _ message: Message) -> Outgoing {
        counts.sentBytes += message.byteCount
        return (shard, message)
    }
}
