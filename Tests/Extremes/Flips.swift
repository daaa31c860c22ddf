import Foundation

/// Single bits of files, flipped by chance: the same seed, the same bits.
package enum Flips {
    /// Flips one bit after another, of every file as often, however small, and puts each back.
    ///
    /// - Parameter body: called with the path while the bit is flipped.
    package static func each(_ count: Int, of files: [String], seed: UInt64 = 1, _ body: (String) throws -> Void) throws
    {
        var chance = Mutator(seed: seed)
        for number in 0..<count {
            let path = files[number % files.count]
            let whole = try Data(contentsOf: URL(filePath: path))
            var damaged = whole
            damaged[chance.below(whole.count)] ^= 1 << UInt8(chance.below(8))
            try damaged.write(to: URL(filePath: path))
            defer { try? whole.write(to: URL(filePath: path)) }
            try body(path)
        }
    }
}
