import Datasets
import Tensors

/// Widths and initial values of the embedding tables.
package struct EmbeddingOptions: Codable, Sendable, Equatable {
    /// The law that a new row is drawn from.
    package enum Initial: String, Choice {
        /// Normal with mean 0 and deviation `scale`.
        case normal
        /// Uniform in ±`scale`.
        case uniform
        /// Zero.
        case zero
    }

    /// Floats of a row; default 16.
    ///
    /// Tables of bias fields have rows of width 1.
    package var width = 16
    /// Other widths for single tables, by name; default none.
    package var widths: [String: Int] = [:]
    /// The law of new rows; default normal.
    ///
    /// Rows of bias fields start at zero.
    package var initial = Initial.normal
    /// Deviation or limit of that law; default 0.01.
    package var scale: Float = 0.01

    package enum CodingKeys: String, CodingKey, CaseIterable { case width, widths, initial, scale }

    /// The defaults.
    package init() {}

    /// How a row starts.
    var rowInitial: InitialValue {
        switch initial {
        case .normal: .normal(deviation: scale)
        case .uniform: .uniform(limit: scale)
        case .zero: .zero
        }
    }

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try check((1...4096).contains(width), "embedding.width", width, "1 to 4096")
        try check(scale >= 0 && scale.isFinite, "embedding.scale", scale, "at least 0")
        for (table, width) in widths.sorted(by: { $0.key < $1.key }) {
            try check((1...4096).contains(width), "embedding.widths.\(table)", width, "1 to 4096")
        }
    }

    /// The width of every table of a schema; throws where options and schema do not agree.
    func widths(of schema: Schema, itemBias: Bool) throws(ModelError) -> [Int] {
        for table in widths.keys.sorted() {
            let known = schema.tables.joined(separator: ", ")
            try check(schema.tables.contains(table), "embedding.widths", table, "a table of the schema: \(known)")
        }
        let biases = Set(schema.bias.map(\.table))
        let others = schema.user + schema.item + schema.behavior + schema.context
        for field in others + schema.bias where !schema.tables.contains(field.table) {
            throw .schema("the schema's feature '\(field.name)' names table '\(field.table)', which is not declared")
        }
        for field in others {
            guard !biases.contains(field.table) else {
                throw .schema(
                    "table '\(field.table)' is read by a bias field and by '\(field.name)': give each its own")
            }
        }
        guard !schema.item.isEmpty else { throw .schema("the schema has no item features: there is nothing to score") }
        try check(!itemBias || !schema.bias.isEmpty, "item_bias", itemBias, "false: the schema has no bias field")
        return schema.tables.map { biases.contains($0) ? 1 : widths[$0] ?? width }
    }
}
