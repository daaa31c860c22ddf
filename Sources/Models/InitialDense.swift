import Kernels
package import Tensors

extension ParameterLayout {
    /// The dense parameters before the first step: a pure function of (seed, name, row, column).
    ///
    /// A parameter's draw is keyed by the hash of its name, so that another layer elsewhere, or another order of
    /// declaration, changes no bit of it. The padding between slots is zero.
    package func initialDense(seed: UInt64) -> DenseVector {
        let vector = DenseVector(count: count)
        for entry in entries { entry.fill(vector[entry.slot], seed: seed) }
        return vector
    }
}

extension ParameterLayout.Entry {
    /// No embedding table has this number: the streams of rows and of dense parameters never meet.
    private static var stream: UInt64 { 0xffff_ffff }

    /// Draws the elements of one parameter.
    fileprivate func fill(_ matrix: Matrix, seed: UInt64) {
        let hash = XXHash64.hash(name)
        let sides = Float(matrix.rows + matrix.columns)
        for row in 0..<matrix.rows {
            let values = matrix[row]
            let count = matrix.columns
            let id = mix64(hash &+ UInt64(row))
            switch initial {
            case .constant(let value):
                values.update(repeating: value, count: count)
            case .glorotUniform:
                fillUniform(
                    values, count: count, limit: (6 / sides).squareRoot(), key: seed, stream: Self.stream, id: id)
            case .glorotNormal:
                fillNormal(
                    values, count: count, deviation: (2 / sides).squareRoot(), key: seed, stream: Self.stream, id: id)
            case .normal(let deviation):
                fillNormal(values, count: count, deviation: deviation, key: seed, stream: Self.stream, id: id)
            case .identity:
                values.update(repeating: 0, count: count)
                if row < count { values[row] = 1 }
            case .blocks(let blocks):
                for column in 0..<count { values[column] = blocks[column * blocks.count / count] }
            case .sinusoid: fillSinusoid(values, position: row, count: count)
            }
        }
    }
}
