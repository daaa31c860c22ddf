import Foundation

/// How many different hashes it was shown, in 4 KiB: HyperLogLog with 2^12 registers, standard error 1.6 %.
///
/// Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog" (AofA 2007), with the estimator of O. Ertl, "New cardinality estimation
/// algorithms for HyperLogLog sketches" (2017), algorithm 6, which needs no correction for small or large counts.
package struct DistinctCount: Sendable, Equatable {
    private static let indexBits = 12
    /// Bits of a hash that are looked at after the index; the lowest 16 need not be random.
    private static let tailBits = 36
    /// Relative standard error of `estimate`: 1.04 / √4096.
    package static let standardError = 1.04 / 64
    private var registers = [UInt8](repeating: 0, count: 1 << indexBits)

    /// Nothing shown.
    package init() {}

    /// Shows hashes of 48 random high bits; showing one again changes nothing.
    package mutating func add(hashes: UnsafePointer<UInt64>, count: Int) {
        registers.withUnsafeMutableBufferPointer { registers in
            for place in 0..<count {
                let hash = hashes[place]
                let index = Int(hash >> UInt64(64 - Self.indexBits))
                let tail = hash << UInt64(Self.indexBits) | 1 << UInt64(63 - Self.tailBits)
                let rank = UInt8(truncatingIfNeeded: tail.leadingZeroBitCount + 1)
                if rank > registers[index] { registers[index] = rank }
            }
        }
    }

    /// About how many different ones there were.
    package var estimate: Double {
        var counts = [Int](repeating: 0, count: Self.tailBits + 2)
        for register in registers { counts[Int(register)] += 1 }
        let size = Double(registers.count)
        var z = size * Self.tau(1 - Double(counts[Self.tailBits + 1]) / size)
        for rank in stride(from: Self.tailBits, through: 1, by: -1) { z = 0.5 * (z + Double(counts[rank])) }
        z += size * Self.sigma(Double(counts[0]) / size)
        return z.isFinite ? size * size / (2 * log(2) * z) : 0
    }

    private static func sigma(_ start: Double) -> Double {
        guard start < 1 else { return .infinity }
        var (x, y, z) = (start, 1.0, start)
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if z == before { return z }
        }
    }

    private static func tau(_ start: Double) -> Double {
        guard start > 0, start < 1 else { return 0 }
        var (x, y, z) = (start, 1.0, 1 - start)
        while true {
            x = x.squareRoot()
            let before = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == before { return z / 3 }
        }
    }
}
