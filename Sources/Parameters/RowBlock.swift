/// A few rows on their way through an update.
///
/// Blocks of four measured best: the switch on the method is paid once a block, yet waiting for memory (the first
/// touch of a row) and computing alternate often enough to overlap.
final class RowBlock {
    /// Rows a block.
    static let capacity = 4
    /// Rows between the prefetch of a row and its update.
    static let ahead = 12

    /// The rows' weights.
    let rows: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    /// Their gradients, scaled and regularized, [capacity × width].
    let gradients: UnsafeMutablePointer<Float>
    /// A gradient of zero.
    let zeros: UnsafeMutablePointer<Float>
    /// Rows in use.
    var count = 0
    private let strengths: UnsafeMutablePointer<Float>
    private let width: Int

    /// A block for rows of `width` weights.
    init(width: Int) {
        self.width = width
        rows = .allocate(capacity: RowBlock.capacity)
        gradients = .allocate(capacity: RowBlock.capacity * width)
        strengths = .allocate(capacity: RowBlock.capacity)
        zeros = .allocate(capacity: width)
        zeros.initialize(repeating: 0, count: width)
    }

    deinit {
        rows.deallocate()
        gradients.deallocate()
        strengths.deallocate()
        zeros.deallocate()
    }

    /// Puts a row at a place: its gradient is g·scale, plus strength·w if coupled; returns strength·|w|².
    @inline(__always)
    func set(
        _ place: Int, row: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, scale: Float, strength: Float,
        isCoupled: Bool
    ) -> Double {
        rows[place] = row
        strengths[place] = strength
        let pull = isCoupled ? strength : 0
        let (w, g) = (UnsafeRawPointer(row), UnsafeRawPointer(gradient))
        let target = gradients + place &* width
        let result = UnsafeMutableRawPointer(target)
        var squares = SIMD4<Float>(repeating: 0)
        var c = 0
        while c &+ 4 <= width {
            let x = w.loadUnaligned(fromByteOffset: c &* 4, as: SIMD4<Float>.self)
            let y = g.loadUnaligned(fromByteOffset: c &* 4, as: SIMD4<Float>.self)
            squares += x * x
            result.storeBytes(of: y * scale + x * pull, toByteOffset: c &* 4, as: SIMD4<Float>.self)
            c &+= 4
        }
        let pairs = squares.lowHalf + squares.highHalf
        var norm = pairs.x + pairs.y
        while c < width {
            norm += row[c] * row[c]
            target[c] = gradient[c] * scale + row[c] * pull
            c &+= 1
        }
        return Double(strength * norm)
    }

    /// Multiplies every row by a factor of its strength.
    @inline(__always)
    func shrink(_ factor: (Float) -> Float) {
        for place in 0..<count {
            let (row, by) = (rows[place], factor(strengths[place]))
            let w = UnsafeMutableRawPointer(row)
            var c = 0
            while c &+ 4 <= width {
                let x = w.loadUnaligned(fromByteOffset: c &* 4, as: SIMD4<Float>.self)
                w.storeBytes(of: x * by, toByteOffset: c &* 4, as: SIMD4<Float>.self)
                c &+= 4
            }
            while c < width {
                row[c] *= by
                c &+= 1
            }
        }
    }
}
