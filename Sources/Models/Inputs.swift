import Datasets
import Kernels
import Tensors

/// A piece of the top network's input; a model's `input` option lists them in order.
///
/// A piece for which the schema has no feature is empty and takes no column.
enum InputPart: String, Choice {
    /// The user's features.
    case user
    /// The target item's features, q.
    case target
    /// The pooled history, v.
    case history
    /// q∘v, elementwise.
    case historyProduct = "history_product"
    /// What the target's attention makes of the history, u: DIN's interest, DIEN's last state, DSIN's two vectors.
    case attention
    /// q∘u, elementwise, where u is as wide as what it is compared by.
    case attentionProduct = "attention_product"
    /// The features of the context.
    case context
    /// Numeric features as they are.
    case numeric
}

/// Joins the embedding rows of a micro-batch to the input of the top network, and takes gradients apart again.
///
/// x = [parts in order]; a sample's row of every part stands in fixed columns. Behaviors are looked up once for every
/// distinct tuple of the micro-batch. A target and a behavior are compared by the fields that read the same tables (the
/// first d columns of both); either may have more fields behind. Gradients of shared tables add up, in the order: parts of
/// x, targets, behaviors.
struct Inputs: Sendable {
    /// One field of a group: its table and its columns among those of the group.
    private struct Lookup {
        let table: Int
        let columns: Range<Int>
    }

    /// A part's columns of x.
    private struct Band {
        let part: InputPart
        let columns: Range<Int>
    }

    /// The tables of the schema as this model reads them.
    let tables: [EmbeddingTable]
    /// Columns of x.
    let width: Int
    /// Width of a whole target vector.
    let targetWidth: Int
    /// Width of what a target and a behavior are compared by, d.
    let comparedWidth: Int
    /// Width of a behavior vector: d, or that of all behavior fields.
    let behaviorWidth: Int
    /// Whether x has a part made of the pooled history.
    let takesHistory: Bool
    private let bands: [Band]
    private let user: [Lookup]
    private let item: [Lookup]
    private let behavior: [Lookup]
    private let context: [Lookup]
    private let bias: [Lookup]

    /// Lays out x.
    ///
    /// - Parameters:
    ///   - frame: the parts of x in order, widths of tables, whether the schema's bias fields are added to the logit.
    ///   - takesWholeBehaviors: whether behaviors come with all their fields, not only those that are compared.
    ///   - attention: width of the attention part, of the widths of the compared part and of a behavior; nil where the
    ///     model has no attention.
    init(
        _ schema: Schema, _ frame: FrameOptions, takesWholeBehaviors: Bool,
        attention: ((_ compared: Int, _ behavior: Int) -> Int)?
    ) throws(ModelError) {
        let (parts, embedding, itemBias) = (frame.input, frame.embedding, frame.itemBias)
        let takesAttention = parts.contains(.attention) || parts.contains(.attentionProduct)
        let names = parts.map(\.rawValue)
        let attends = attention != nil
        try check(attends || !takesAttention, "input", names, "no attention part: this model has no attention")
        try check(!attends || takesAttention, "input", names, "attention or attention_product among the parts")
        try check(Set(parts).count == parts.count && !parts.isEmpty, "input", names, "some parts, each once")
        takesHistory = parts.contains(.history) || parts.contains(.historyProduct)
        let shared = schema.comparedCount
        guard !(takesHistory || takesAttention) || shared > 0 else {
            throw .schema(
                "the first behavior feature must read the table of the first item feature, as a target is compared with "
                    + "behaviors; items read \(schema.item.map(\.table)), behaviors \(schema.behavior.map(\.table))")
        }
        let widths = try embedding.widths(of: schema, itemBias: itemBias)
        func lookups(_ fields: [Schema.Field]) -> [Lookup] {
            var first = 0
            return fields.map { field in
                let table = schema.tables.firstIndex(of: field.table) ?? 0
                first += widths[table]
                return Lookup(table: table, columns: first - widths[table]..<first)
            }
        }
        (user, item, context) = (lookups(schema.user), lookups(schema.item), lookups(schema.context))
        let readsBehaviors = takesHistory || takesAttention
        behavior =
            readsBehaviors ? lookups(takesWholeBehaviors ? schema.behavior : Array(schema.behavior.prefix(shared))) : []
        bias = itemBias ? lookups(schema.bias) : []
        targetWidth = item.last?.columns.upperBound ?? 0
        comparedWidth = shared > 0 ? item[shared - 1].columns.upperBound : 0
        behaviorWidth = behavior.last?.columns.upperBound ?? 0
        let d = comparedWidth
        let attentionWidth = attention?(d, behaviorWidth) ?? 0
        try check(
            !parts.contains(.attentionProduct) || attentionWidth == d, "input", names,
            "no attention_product: the attention's vector has \(attentionWidth) columns and the target \(d)")

        var bands: [Band] = []
        for part in parts {
            let columns: Int
            switch part {
            case .user: columns = user.last?.columns.upperBound ?? 0
            case .target: columns = targetWidth
            case .history, .historyProduct, .attentionProduct: columns = d
            case .attention: columns = attentionWidth
            case .context: columns = context.last?.columns.upperBound ?? 0
            case .numeric: columns = schema.numeric.count
            }
            let first = bands.last?.columns.upperBound ?? 0
            if columns > 0 { bands.append(Band(part: part, columns: first..<first + columns)) }
        }
        self.bands = bands
        width = bands.last?.columns.upperBound ?? 0
        try check(width > 0, "input", names, "a part for which the schema has features")

        var used = Set((item + behavior + bias).map(\.table))
        if parts.contains(.user) { used.formUnion(user.map(\.table)) }
        if parts.contains(.context) { used.formUnion(context.map(\.table)) }
        let biases = Set(schema.bias.map(\.table))
        tables = schema.tables.indices.map { table in
            EmbeddingTable(
                name: schema.tables[table], width: widths[table],
                initial: biases.contains(schema.tables[table]) ? .zero : embedding.rowInitial,
                isUsed: used.contains(table))
        }
    }

    // MARK: Forward

    /// The vectors of targets and of distinct behavior tuples.
    func scene(of batch: MicroBatch, _ rows: RowBlocks, _ pass: Pass) -> Scene {
        let q = pass.matrix(rows: batch.sampleCount, columns: targetWidth)
        gather(item, batch.itemRows, rows, into: q)
        let e = pass.matrix(rows: batch.behaviorCount, columns: behaviorWidth)
        gather(behavior, batch.behaviorRows, rows, into: e)
        return Scene(
            batch: batch, target: pass.variable(q), behaviors: pass.variable(e), comparedWidth: comparedWidth)
    }

    /// x: the parts side by side, [samples × width].
    func join(_ s: Scene, _ rows: RowBlocks, _ parts: Parts, _ pass: Pass) -> Matrix {
        let batch = s.batch
        let x = pass.matrix(rows: batch.sampleCount, columns: width)
        for band in bands {
            let columns = x.columns(band.columns)
            switch band.part {
            case .user: gather(user, batch.userRows, rows, into: columns)
            case .target: copy(s.target.value, into: columns)
            case .history: copy(parts.history.value, into: columns)
            case .historyProduct: multiply(s.comparedTarget.value, parts.history.value, into: columns)
            case .attention: copy(parts.attention.value, into: columns)
            case .attentionProduct: multiply(s.comparedTarget.value, parts.attention.value, into: columns)
            case .context: gather(context, batch.contextRows, rows, into: columns)
            case .numeric: copy(numeric(batch), into: columns)
            }
        }
        return x
    }

    /// What is added to each sample's logit: the sum of its bias rows, [samples × 1].
    func biases(of batch: MicroBatch, _ rows: RowBlocks, _ pass: Pass) -> Matrix {
        let sums = pass.zeros(rows: batch.sampleCount, columns: 1)
        for (field, lookup) in bias.enumerated() {
            let index = batch.biasRows[field].base
            let values = rows[lookup.table]
            for sample in 0..<sums.rows { sums[sample, 0] += values[Int(index[sample]), 0] }
        }
        return sums
    }

    // MARK: Backward

    /// Takes dx apart: user and context rows get their gradients, those of targets and parts are added up.
    func split(_ dx: Matrix, _ s: Scene, _ parts: Parts, rowGradients: RowBlocks) {
        for band in bands {
            let g = dx.columns(band.columns)
            switch band.part {
            case .user: scatter(g, user, s.batch.userRows, to: rowGradients)
            case .target: s.target.receive(g)
            case .history: parts.history.receive(g)
            case .historyProduct:
                s.comparedTarget.receive(g, times: parts.history.value)
                parts.history.receive(g, times: s.comparedTarget.value)
            case .attention: parts.attention.receive(g)
            case .attentionProduct:
                s.comparedTarget.receive(g, times: parts.attention.value)
                parts.attention.receive(g, times: s.comparedTarget.value)
            case .context: scatter(g, context, s.batch.contextRows, to: rowGradients)
            case .numeric: break
            }
        }
    }

    /// Adds the gradients of biases, those of the logits, and of the vectors of a scene to their rows'.
    func scatter(_ s: Scene, biases dz: Matrix, to rowGradients: RowBlocks) {
        scatter(dz, bias, s.batch.biasRows, to: rowGradients)
        if let g = s.target.gradient { scatter(g, item, s.batch.itemRows, to: rowGradients) }
        if let g = s.behaviors.gradient { scatter(g, behavior, s.batch.behaviorRows, to: rowGradients) }
    }

    // MARK: Rows

    private func gather(_ fields: [Lookup], _ index: [Column<Int32>], _ rows: RowBlocks, into target: Matrix) {
        for (field, lookup) in fields.enumerated() {
            gatherRows(of: rows[lookup.table], at: index[field].base, into: target.columns(lookup.columns))
        }
    }

    private func scatter(_ g: Matrix, _ fields: [Lookup], _ index: [Column<Int32>], to rowGradients: RowBlocks) {
        for (field, lookup) in fields.enumerated() {
            scatterAddRows(of: g.columns(lookup.columns), at: index[field].base, addingTo: rowGradients[lookup.table])
        }
    }

    private func numeric(_ batch: MicroBatch) -> Matrix {
        let count = batch.sampleCount
        return Matrix(base: batch.numeric.base, rows: count, columns: count > 0 ? batch.numeric.count / count : 0)
    }
}
