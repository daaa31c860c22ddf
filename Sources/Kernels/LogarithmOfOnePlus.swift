package import Tensors

/// ln(1 + x) for x > −1: 2·atanh(x / (2 + x)) near 0, elsewhere ln u · x / (u − 1) with u = 1 + x rounded.
///
/// Relative error below 2e-7; −∞ at −1, NaN below and for NaN, +∞ at +∞.
@inline(__always)
func logarithmOfOnePlus(_ x: Vector) -> Vector {
    let u = x + 1
    let far = logarithm(u) * (x / (u - 1))
    let s = x / (x + 2)
    let z = s * s
    var p = Vector(repeating: 0.222_221_98)
    p = Vector(repeating: 0.285_714_3).addingProduct(p, z)
    p = Vector(repeating: 0.4).addingProduct(p, z)
    p = Vector(repeating: 0.666_666_7).addingProduct(p, z)
    let near = (s + s).addingProduct(p * z, s)
    return far.replacing(with: near, where: (x .< 0.41) .& (x .> -0.29))
        .replacing(with: logarithm(x), where: x .> 1e8)
        .replacing(with: -Float.infinity, where: x .== -1)
}

/// y = ln(1 + x), element by element.
package func logarithmOfOnePlus(_ x: Matrix, into y: Matrix) {
    for row in 0..<x.rows { map(x[row], into: y[row], count: x.columns) { logarithmOfOnePlus($0) } }
}
