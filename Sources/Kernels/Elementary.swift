package import Tensors

/// The vector that elementary functions are written in: one AVX-512 register, or two of AVX2.
typealias Vector = SIMD16<Float>

/// 1.5·2²³: added to a float below 2²² it leaves the nearest integer in the low bits, ties to even.
///
/// The standard library's conversions and clamps of whole vectors go lane by lane; this is one addition.
private let integerShift: Float = 12_582_912
private let integerShiftBits: Int32 = 0x4b40_0000

/// eˣ: x = n·ln 2 + r, |r| ≤ ln 2 / 2, a polynomial in r, then the exponent in two halves so that denormals come out.
///
/// Relative error below 2e-7 where the result is normal; 0 below −104, +∞ above 88.73, NaN for NaN.
@inline(__always)
func exponential(_ x: Vector) -> Vector {
    let number = x.replacing(with: 0, where: x .!= x)
    let floor = Vector(repeating: -104)
    let ceiling = Vector(repeating: 89)
    let raised = number.replacing(with: floor, where: number .< floor)
    let clamped = raised.replacing(with: ceiling, where: raised .> ceiling)
    let shifted = clamped * 1.442_695_04 + integerShift
    let n = shifted - integerShift
    var r = clamped.addingProduct(n, Vector(repeating: -0.693_145_752))
    r = r.addingProduct(n, Vector(repeating: -1.428_606_82e-6))
    var p = Vector(repeating: 1.987_569_15e-4)
    p = Vector(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = Vector(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = Vector(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = Vector(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = Vector(repeating: 0.5).addingProduct(p, r)
    let y = r.addingProduct(p, r * r) + 1
    let power = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- integerShiftBits
    let half = power &>> 1
    let result = y * powerOfTwo(half) * powerOfTwo(power &- half)
    return result.replacing(with: x, where: x .!= x)
}

/// 2ᵏ for −126 ≤ k ≤ 127.
@inline(__always)
private func powerOfTwo(_ k: SIMD16<Int32>) -> Vector {
    unsafeBitCast((k &+ 127) &<< 23, to: Vector.self)
}

/// (2·atanh(s) − 2s) / s³ for z = s², |s| < 0.18.
@inline(__always)
private func inverseTangentTail(_ z: Vector) -> Vector {
    var p = Vector(repeating: 0.222_221_98)
    p = Vector(repeating: 0.285_714_3).addingProduct(p, z)
    p = Vector(repeating: 0.4).addingProduct(p, z)
    return Vector(repeating: 0.666_666_7).addingProduct(p, z)
}

/// ln x for positive x (also denormal): x = 2ᵏ·m, m in [√½, √2), a polynomial in m − 1.
///
/// Relative error below 2e-7; −∞ at 0, NaN below and for NaN, +∞ at +∞.
@inline(__always)
func logarithm(_ x: Vector) -> Vector {
    let tiny = x .< 1.175_494_4e-38
    let scaled = x.replacing(with: x * 0x1p23, where: tiny)
    let bits = unsafeBitCast(scaled, to: SIMD16<Int32>.self)
    var exponent = unsafeBitCast((bits &>> 23 &- 127) &+ integerShiftBits, to: Vector.self) - integerShift
    exponent = exponent.replacing(with: exponent - 23, where: tiny)
    var m = unsafeBitCast((bits & 0x7f_ffff) | 0x3f80_0000, to: Vector.self)
    let large = m .> 1.414_213_56
    m = m.replacing(with: m * 0.5, where: large)
    exponent = exponent.replacing(with: exponent + 1, where: large)
    let f = m - 1
    // ln(1 + f) = 2·atanh(s), s = f / (2 + f): odd powers, no cancellation near 1.
    let s = f / (f + 2)
    let z = s * s
    let tail = inverseTangentTail(z) * z * s
    var y = s + s
    y = (tail.addingProduct(exponent, Vector(repeating: 1.428_606_82e-6)) + y)
    y = y.addingProduct(exponent, Vector(repeating: 0.693_145_752))
    y = y.replacing(with: -Float.infinity, where: x .== 0)
    y = y.replacing(with: Float.nan, where: x .< 0)
    y = y.replacing(with: x, where: x .== Float.infinity)
    return y.replacing(with: x, where: x .!= x)
}

/// σ(x) = 1 / (1 + e⁻ˣ), written as e^(−|x|) so that neither tail loses its relative accuracy.
@inline(__always)
func logistic(_ x: Vector) -> Vector {
    let negative = x .< 0
    let e = exponential(x.replacing(with: -x, where: .!negative))
    let y = Vector(repeating: 1).replacing(with: e, where: negative) / (e + 1)
    return y
}

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

/// ln(1 + x) for x > −1: 2·atanh(x / (2 + x)) near 0, elsewhere ln u · x / (u − 1) with u = 1 + x rounded.
///
/// Relative error below 2e-7; −∞ at −1, NaN below and for NaN, +∞ at +∞.
@inline(__always)
func logarithmOfOnePlus(_ x: Vector) -> Vector {
    let u = x + 1
    let far = logarithm(u) * (x / (u - 1))
    let s = x / (x + 2)
    let z = s * s
    let near = (s + s).addingProduct(inverseTangentTail(z) * z, s)
    return far.replacing(with: near, where: (x .< 0.41) .& (x .> -0.29))
        .replacing(with: logarithm(x), where: x .> 1e8)
        .replacing(with: -Float.infinity, where: x .== -1)
}

/// Applies a function of 16 lanes to every element; the tail is padded, so an element's bits never depend on its place.
@inline(__always)
func map(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, _ body: (Vector) -> Vector) {
    var index = 0
    while index + 16 <= count {
        let value = body(UnsafeRawPointer(x + index).loadUnaligned(as: Vector.self))
        UnsafeMutableRawPointer(y + index).storeBytes(of: value, as: Vector.self)
        index += 16
    }
    guard index < count else { return }
    var last = Vector.zero
    for lane in 0..<(count - index) { last[lane] = x[index + lane] }
    let value = body(last)
    for lane in 0..<(count - index) { y[index + lane] = value[lane] }
}

/// Applies a function of 16 lanes to every row.
@inline(__always)
func map(_ x: Matrix, into y: Matrix, _ body: (Vector) -> Vector) {
    for row in 0..<x.rows { map(x[row], into: y[row], count: x.columns, body) }
}

/// y = eˣ, element by element.
package func exponential(_ x: Matrix, into y: Matrix) { map(x, into: y) { exponential($0) } }

/// y = ln x, element by element.
package func logarithm(_ x: Matrix, into y: Matrix) { map(x, into: y) { logarithm($0) } }

/// y = σ(x), element by element.
package func logistic(_ x: Matrix, into y: Matrix) { map(x, into: y) { logistic($0) } }

/// y = tanh x, element by element.
package func hyperbolicTangent(_ x: Matrix, into y: Matrix) { map(x, into: y) { hyperbolicTangent($0) } }

/// y = ln(1 + x), element by element.
package func logarithmOfOnePlus(_ x: Matrix, into y: Matrix) { map(x, into: y) { logarithmOfOnePlus($0) } }
