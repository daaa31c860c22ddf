package import Tensors

/// tanh x: an odd polynomial below 0.625, else 1 − 2 / (e^2|x| + 1) with the sign of x; relative error below 2e-7.
@inline(__always)
func hyperbolicTangent(_ x: Vector) -> Vector {
    let negative = x .< 0
    let a = x.replacing(with: -x, where: negative)
    let large = 1 - 2 / (exponential(a + a) + 1)
    let z = x * x
    var p = Vector(repeating: -5.704_988_5e-3)
    p = Vector(repeating: 2.063_908_9e-2).addingProduct(p, z)
    p = Vector(repeating: -5.373_971_6e-2).addingProduct(p, z)
    p = Vector(repeating: 1.333_144_2e-1).addingProduct(p, z)
    p = Vector(repeating: -3.333_328e-1).addingProduct(p, z)
    let small = x.addingProduct(p * z, x)
    let signed = large.replacing(with: -large, where: negative)
    return signed.replacing(with: small, where: a .< 0.625).replacing(with: x, where: x .!= x)
}

/// y = tanh x, element by element.
package func hyperbolicTangent(_ x: Matrix, into y: Matrix) {
    for row in 0..<x.rows { map(x[row], into: y[row], count: x.columns) { hyperbolicTangent($0) } }
}
