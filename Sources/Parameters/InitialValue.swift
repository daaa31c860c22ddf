import Kernels
package import Tensors

/// Drawn by Philox with the job's seed as key and (table, id, column) as counter, so that a row that was never stored
/// can be shown again and again with the same bits.
extension InitialValue {
    /// Writes the `width` initial weights of a row.
    package func fill(_ row: UnsafeMutablePointer<Float>, width: Int, seed: UInt64, table: UInt32, id: UInt64) {
        switch self {
        case .normal(let deviation):
            fillNormal(row, count: width, deviation: deviation, key: seed, stream: UInt64(table), id: id)
        case .uniform(let limit):
            fillUniform(row, count: width, limit: limit, key: seed, stream: UInt64(table), id: id)
        case .zero:
            row.update(repeating: 0, count: width)
        }
    }
}
