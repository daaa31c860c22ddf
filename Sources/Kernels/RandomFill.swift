import Tensors

/// Fills a row with normal deviates that are a pure function of (key, stream, id, column).
///
/// Column c takes a 24-bit uniform u from word c mod 4 of Philox(key; stream « 32 | c / 4, id) and maps it by the inverse
/// normal distribution: √2·erf⁻¹(2u − 1), in the single-precision form of M. Giles (GPU Computing Gems, 2011).
///
/// - Parameters:
///   - row: `count` floats.
///   - deviation: the standard deviation.
package func fillNormal(
    _ row: UnsafeMutablePointer<Float>, count: Int, deviation: Float, key: UInt64, stream: UInt64, id: UInt64
) {
    for first in stride(from: 0, to: count, by: 16) {
        var u = Vector.zero
        for block in 0..<4 {
            let words = Philox.words(key: key, stream << 32 | UInt64(first / 4 + block), id)
            for lane in 0..<4 { u[block * 4 + lane] = Philox.unit(words[lane]) + 0x1p-25 }
        }
        // The largest of 2²⁴ uniforms and a half of their distance round to 1, where the inverse is infinite.
        u = pointwiseMin(u, Vector(repeating: 0x1.fffffep-1))
        let values = inverseErrorFunction(u.addingProduct(u, Vector(repeating: 1)) - 1) * (1.414_213_56 * deviation)
        for lane in 0..<min(16, count - first) { row[first + lane] = values[lane] }
    }
}

/// Fills a row with uniform deviates in [−limit, limit), drawn as `fillNormal` draws.
package func fillUniform(
    _ row: UnsafeMutablePointer<Float>, count: Int, limit: Float, key: UInt64, stream: UInt64, id: UInt64
) {
    for column in 0..<count {
        let words = Philox.words(key: key, stream << 32 | UInt64(column / 4), id)
        row[column] = limit * (2 * Philox.unit(words[column % 4]) - 1)
    }
}

/// erf⁻¹(x) for |x| < 1: a polynomial in w = −ln(1 − x²), or in √w in the tails.
@inline(__always)
func inverseErrorFunction(_ x: Vector) -> Vector {
    let w = -logarithm((Vector(repeating: 1) - x) * (x + 1))
    let center = w - 2.5
    var p = Vector(repeating: 2.810_226_36e-8)
    for c: Float in [
        3.432_739_39e-7, -3.523_387_7e-6, -4.391_506_54e-6, 0.000_218_580_87, -0.001_253_725_03, -0.004_177_681_64,
        0.246_640_727, 1.501_409_41,
    ] { p = Vector(repeating: c).addingProduct(p, center) }
    let tail = w.squareRoot() - 3
    var q = Vector(repeating: -0.000_200_214_257)
    for c: Float in [
        0.000_100_950_558, 0.001_349_343_22, -0.003_673_428_44, 0.005_739_507_73, -0.007_622_461_3, 0.009_438_870_47,
        1.001_674_06, 2.832_976_82,
    ] { q = Vector(repeating: c).addingProduct(q, tail) }
    return p.replacing(with: q, where: w .>= 5) * x
}
