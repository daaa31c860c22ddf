package import Tensors

/// Sets a share `rate` of the elements to 0 and divides the others by 1 − rate; [rows × columns] like x.
///
/// The mask is a function of (key, stream, element): applied to the gradient it is the backward pass.
package func dropout(_ x: Matrix, rate: Float, key: UInt64, stream: UInt64, _ arena: Arena) -> Matrix {
    let y = arena.matrix(rows: x.rows, columns: x.columns)
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
