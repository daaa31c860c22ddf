import Parameters
import Tensors
import Wire

/// Contributions: checked whole, held until they cover a step, applied once.
extension Shard {
    func push(_ request: Request) throws {
        let header = request.header
        guard header.step > step else {
            statistics.duplicate(header)
            acknowledge(request)
            return
        }
        guard Int(header.step) == step + 1 else {
            throw Refused(.stepAhead, "step \(header.step) before step \(step + 1) is complete")
        }
        guard step < options.plan.lastStep else {
            throw Refused(.stepAhead, "the last step is \(options.plan.lastStep)")
        }
        let view = try PushView(
            decoding: request.message, limits: limits, tableWidths: widths, dense: denseRange.count, scratch: scratch)
        try check(view)
        let ids = try ids(of: view)
        // All of it is valid: from here on nothing is refused.
        acknowledge(request)
        let began = statistics.now
        lost = contribute(view, ids)
        statistics.pushed(since: began)
        if step == Int(header.step) { release() }
    }

    /// Whether the counts of the push are those that this job's plan gives its subtree.
    private func check(_ view: PushView) throws(WireError) {
        let header = view.header
        let count = options.plan.microBatches(of: Int(header.step))
        guard Int(header.microBatches) == count else {
            throw .mismatch(.push, what: "micro-batches", found: Int(header.microBatches), expected: count)
        }
        let samples = options.plan.positions(of: Int(header.step)).count
        let (node, root) = (Subtree(packed: header.subtree), Subtree.root(of: count))
        guard node.level <= root.level else {
            throw .limit(.push, what: "levels in its subtree", found: node.level, limit: root.level)
        }
        let covered = node.covers(of: count)
        let size = options.plan.microBatch
        let expected = min(covered.upperBound * size, samples) - covered.lowerBound * size
        guard Int(header.samples) == expected else {
            throw .mismatch(.push, what: "samples of its subtree", found: Int(header.samples), expected: expected)
        }
        guard Int(header.dense) == denseRange.count else {
            throw .mismatch(.push, what: "dense floats", found: Int(header.dense), expected: denseRange.count)
        }
        for floats in [view.gradients, view.dense] {
            guard let base = floats.baseAddress, !areFinite(base, count: floats.count) else { continue }
            throw WireError(
                "push holds a number that is infinite or NaN: the training diverged at its sender; lower the learning rate"
            )
        }
    }

    /// The ids of a push, from its pull or its own frame, all checked.
    private func ids(of view: PushView) throws -> UnsafePointer<UInt64> {
        if case .ids(let own) = view.keys {
            try check(own.baseAddress, view.tables)
            gathered.resize(own.count)
            if let source = own.baseAddress { gathered.base.update(from: source, count: own.count) }
            return UnsafePointer(gathered.base)
        }
        guard let list = keys.list(of: view.header.rank, hash: view.header.keyListHash) else {
            throw Refused(.sendKeys, "the key list of the pull is not held here")
        }
        try view.checkRows(against: list.tables)
        guard case .positions(let positions) = view.keys else { return UnsafePointer(list.ids.base) }
        gathered.resize(positions.count)
        for row in 0..<positions.count { gathered[row] = list.ids[Int(positions[row])] }
        return UnsafePointer(gathered.base)
    }

    /// Holds the sums of a subtree; a step that one push completes is applied from the message without a copy.
    ///
    /// - Returns: what the update left without finite numbers, if it did.
    private func contribute(_ view: PushView, _ ids: UnsafePointer<UInt64>) -> String? {
        let node = Subtree(packed: view.header.subtree)
        if opened != step + 1 {
            accumulator.begin(step: step + 1, microBatches: Int(view.header.microBatches))
            opened = step + 1
        }
        let noFloats = UnsafeRawPointer(nothing.base).assumingMemoryBound(to: Float.self)
        let parts = view.tables.map { rows in
            RowGradients(
                ids: ids + rows.firstRow,
                counts: (view.rowSamples.baseAddress ?? UnsafePointer(nothing.base)) + rows.firstRow,
                gradients: (view.gradients.baseAddress ?? noFloats) + rows.firstFloat, count: rows.rows)
        }
        let (samples, dense) = (Int(view.header.samples), view.dense.baseAddress ?? noFloats)
        if accumulator.isRootAlone(node) {
            statistics.held(view)
            return apply(samples: samples, dense: dense) { parts[$0] }
        }
        if accumulator.add(node: node, samples: samples, tables: parts, dense: dense) == .alreadyCovered {
            statistics.duplicate(view.header)
        } else {
            statistics.held(view)
        }
        guard accumulator.isComplete else { return nil }
        return apply(samples: accumulator.samples, dense: accumulator.dense) { accumulator.rows(table: $0) }
    }

    /// Regularizes and updates once with the sums of the complete step, whose ids were checked before they were held.
    ///
    /// - Returns: what is not finite afterwards.
    private func apply(samples: Int, dense gradient: UnsafePointer<Float>, rows: (Int) -> RowGradients) -> String? {
        let scale = 1 / Float(samples)
        let began = statistics.now
        var regularization = 0.0
        var lost: String?
        for (index, table) in tables.enumerated() {
            let part = rows(index)
            let applied: Table.Applied
            do {
                applied = try table.apply(
                    ids: part.ids, count: part.count, gradients: part.gradients, counts: part.counts, scale: scale,
                    step: step + 1)
            } catch {
                preconditionFailure("ids that were checked are not taken: \(error)")
            }
            regularization += applied.regularization
            if !applied.isFinite { lost = lost ?? table.options.name }
            statistics.updated(index, part)
        }
        if !dense.apply(gradient: gradient, scale: scale, step: step + 1) { lost = lost ?? "the dense parameters" }
        step += 1
        statistics.applied(regularization, since: began)
        return lost
    }
}
