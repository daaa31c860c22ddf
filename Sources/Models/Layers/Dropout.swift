import Tensors

extension Pass {
    /// x with a share `rate` of its elements set to 0 and the others divided by 1 − rate; x itself when scoring and at
    /// rate 0.
    ///
    /// The mask is a function of (key, stream, element): applied to the gradient it is the backward pass.
    func drop(_ x: Matrix, rate: Float, stream: UInt64) -> Matrix {
        guard isTraining, rate > 0 else { return x }
        let y = matrix(rows: x.rows, columns: x.columns)
        let scale = 1 / (1 - rate)
        for row in 0..<x.rows {
            let (from, to) = (x[row], y[row])
            var column = 0
            while column < x.columns {
                let words = Philox.words(key: key, stream << 32 | UInt64(row), UInt64(column / 4))
                for lane in 0..<min(4, x.columns - column) {
                    to[column + lane] = Philox.unit(words[lane]) < rate ? 0 : from[column + lane] * scale
                }
                column += 4
            }
        }
        return y
    }
    /// Dropout as a layer.
    func drop(_ x: Matrix, rate: Float, stream: UInt64, _ above: Above) -> Matrix? {
        above(drop(x, rate: rate, stream: stream)).map { drop($0, rate: rate, stream: stream) }
    }
}
