package import Tensors

/// ln(1 + x) for x > −1: exact where 1 + x rounds, by the correction x / ((1 + x) − 1) of the classic algorithm.
///
/// Relative error below 2e-7; −∞ at −1, NaN below and for NaN, +∞ at +∞.
@inline(__always)
func logarithmOfOnePlus(_ x: Vector) -> Vector {
    let u = x + 1
    let d = u - 1
    let y = logarithm(u) * (x / d)
    let small = d .== 0
    let large = x .> 1e8
    return y.replacing(with: x, where: small).replacing(with: logarithm(x), where: large)
        .replacing(with: -Float.infinity, where: x .== -1)
}

/// y = ln(1 + x), element by element.
package func logarithmOfOnePlus(_ x: Matrix, into y: Matrix) {
    for row in 0..<x.rows { map(x[row], into: y[row], count: x.columns) { logarithmOfOnePlus($0) } }
}
