import Datasets
import Kernels
import Models
import Synchronization
import Tensors

/// The numeric half of a worker: its micro-batches forward and backward, sums along the tree, and the next batches.
///
/// A round first computes the micro-batches of one plan, then fills those of the next; any thread takes any task. Sums
/// are taken along the fixed tree by whichever thread finishes the second child, so threads change no bit.
///
/// Unchecked: during a round each task touches its own micro-batch, contribution and thread state; the tree's book is
/// behind a mutex; between rounds only the worker's own thread touches anything.
final class StepCompute: @unchecked Sendable {
    /// What a round does with its micro-batches.
    enum Mode { case train, score }

    /// What one thread owns.
    private final class ThreadState {
        let arena = Arena(bytes: 8 << 20)
        let builder: MicroBatchBuilder
        let slots: [Column<Int32>]

        init(schema: Schema, historyLimit: Int, needs: BatchNeeds) {
            builder = MicroBatchBuilder(schema: schema, historyLimit: historyLimit, needs: needs)
            slots = schema.tables.map { _ in Column<Int32>() }
        }
    }

    /// A micro-batch to fill: samples `positions` of `order`.
    struct Source {
        let split: Split
        let order: DataOrder
        let positions: Range<Int>
        let size: Int
        /// Draws what did not happen next, in training.
        var negatives: NegativeSampler?
    }

    /// Dense parameters as pulled for the current step.
    let parameters: DenseVector
    /// Pulled rows by table, [rows of the plan × width].
    let values: [Column<Float>]
    /// One for each micro-batch; after a round, those at maximal nodes hold their subtree's sums.
    let contributions: [Contribution]
    /// Logits by micro-batch.
    let logits: [Column<Float>]

    private let model: any Model
    private let widths: [Int]
    private let seed: UInt64
    private let threads: [ThreadState]
    private let done: Mutex<[Subtree: Bool]>
    private let unfinished = Atomic<Int>(0)
    private let computed: @Sendable () -> Void

    private var plan: StepPlan?
    private var mode = Mode.train
    private var nodes: [Subtree] = []
    private var treeOwned = 0..<0
    private var treeCount = 0
    private var next: StepPlan?
    private var source: Source?

    /// - Parameters:
    ///   - capacity: the most micro-batches of one round.
    ///   - computed: called on the thread that ends the last micro-batch, before the next batches are filled.
    init(
        model: any Model, schema: Schema, historyLimit: Int, threads count: Int, capacity: Int, seed: UInt64,
        computed: @escaping @Sendable () -> Void
    ) {
        self.model = model
        self.seed = seed
        self.computed = computed
        widths = model.tables.map(\.width)
        parameters = DenseVector(count: model.layout.count)
        let widths = self.widths
        let denseCount = model.layout.count
        values = widths.map { _ in Column<Float>() }
        contributions = (0..<capacity).map { _ in Contribution(denseCount: denseCount, widths: widths) }
        logits = (0..<capacity).map { _ in Column<Float>() }
        threads = (0..<count).map { _ in
            ThreadState(schema: schema, historyLimit: historyLimit, needs: model.needs)
        }
        done = Mutex([:])
    }

    /// Sets up a round and returns its number of tasks.
    ///
    /// - Parameters:
    ///   - plan: the step whose rows and dense parameters have been pulled; `nil` to fill only.
    ///   - next: the plan to fill, its `owned` range set, and where its samples come from.
    func prepare(_ plan: StepPlan?, _ mode: Mode, fill next: StepPlan?, from source: Source?) -> Int {
        self.plan = plan
        self.mode = mode
        self.next = next
        self.source = source
        let batches = plan?.owned.count ?? 0
        unfinished.store(batches, ordering: .relaxed)
        if let plan, mode == .train {
            if plan.owned != treeOwned || plan.microBatchCount != treeCount {
                (treeOwned, treeCount) = (plan.owned, plan.microBatchCount)
                nodes = Subtree.maximal(in: plan.owned, of: plan.microBatchCount)
            }
            done.withLock { $0.removeAll(keepingCapacity: true) }
            for state in threads {
                for (index, slots) in state.slots.enumerated() where slots.count < plan.tables[index].ids.count {
                    slots.fill(plan.tables[index].ids.count * 5 / 4, with: -1)
                }
            }
        }
        return batches + (next?.owned.count ?? 0)
    }

    /// The subtrees to push, each with the contribution that holds its sums.
    func pushes() -> [(node: Subtree, contribution: Contribution)] {
        guard let plan else { return [] }
        return nodes.map { node in
            (node, contributions[node.covers(of: plan.microBatchCount).lowerBound - plan.owned.lowerBound])
        }
    }

    /// Runs one of the round's tasks, whichever on whichever thread.
    func run(task: Int, thread: Int) {
        let batches = plan?.owned.count ?? 0
        if task >= batches {
            fill(task - batches, threads[thread])
            return
        }
        guard let plan else { return }
        compute(task, plan, threads[thread])
        if mode == .train { climb(from: plan.owned.lowerBound + task, plan, threads[thread]) }
        if unfinished.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { computed() }
    }

    /// Forward and backward of one micro-batch.
    private func compute(_ number: Int, _ plan: StepPlan, _ state: ThreadState) {
        let arena = state.arena
        arena.reset()
        let batch = plan.batches[number]
        let rows = arena.array(of: Matrix.self, count: widths.count)
        for table in widths.indices {
            let map = plan.tables[table].rowOf[number]
            let pulled = Matrix(base: values[table].base, rows: plan.tables[table].ids.count, columns: widths[table])
            let block = arena.matrix(rows: map.count, columns: widths[table])
            gatherRows(of: pulled, at: map.base, into: block)
            rows[table] = block
        }
        let blocks = RowBlocks(matrices: rows, count: widths.count)
        logits[number].resize(batch.sampleCount)
        guard mode == .train else {
            model.score(batch, rows: blocks, parameters, logits: logits[number].base, arena)
            return
        }
        let contribution = contributions[number]
        let gradients = arena.array(of: Matrix.self, count: widths.count)
        for table in widths.indices {
            let target = contribution.tables[table]
            let map = plan.tables[table].rowOf[number]
            target.rows.resize(map.count)
            target.rows.base.update(from: map.base, count: map.count)
            target.counts.resize(map.count)
            target.counts.base.update(from: batch.tables[table].counts.base, count: map.count)
            target.gradients.resize(map.count * widths[table])
            gradients[table] = target.matrix
        }
        contribution.samples = batch.sampleCount
        let key = Philox.word(key: seed, UInt64(plan.step), UInt64(plan.owned.lowerBound + number))
        contribution.losses = model.train(
            batch, rows: blocks, parameters, into: contribution.dense,
            rowGradients: RowBlocks(matrices: gradients, count: widths.count),
            logits: logits[number].base, key: key, arena)
    }

    /// Adds siblings up the tree as far as both are done.
    private func climb(from microBatch: Int, _ plan: StepPlan, _ state: ThreadState) {
        var node = Subtree(level: 0, index: microBatch)
        let count = plan.microBatchCount
        while !nodes.contains(node) {
            let sibling = node.sibling
            if sibling.covers(of: count).isEmpty {
                node = node.parent
                continue
            }
            let this = node
            let bothDone = done.withLock { book in
                if book[sibling] != nil { return true }
                book[this] = true
                return false
            }
            guard bothDone else { return }
            let (left, right) = node.isLeft ? (node, sibling) : (sibling, node)
            let first = plan.owned.lowerBound
            contributions[left.covers(of: count).lowerBound - first].add(
                contributions[right.covers(of: count).lowerBound - first], slots: state.slots)
            node = node.parent
        }
    }

    /// Fills one micro-batch of the next plan.
    private func fill(_ number: Int, _ state: ThreadState) {
        guard let next, let source else { return }
        let first = source.positions.lowerBound + (next.owned.lowerBound + number) * source.size
        let end = min(first + source.size, source.positions.upperBound)
        state.builder.fill(
            next.batches[number], from: source.split, order: source.order, positions: first..<end,
            negatives: source.negatives)
    }
}
