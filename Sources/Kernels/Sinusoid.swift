import Foundation

/// Sets a row of the sinusoidal position encoding (Vaswani and others 2017, section 3.5).
///
/// Column 2i is sin(p / 10000^(2i/d)), column 2i + 1 the cosine of the same angle.
package func fillSinusoid(_ row: UnsafeMutablePointer<Float>, position: Int, count: Int) {
    for column in 0..<count {
        let angle = Double(position) * pow(10_000, -Double(column / 2 * 2) / Double(count))
        row[column] = Float(column % 2 == 0 ? sin(angle) : cos(angle))
    }
}
