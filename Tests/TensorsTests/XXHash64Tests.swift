import Testing

@testable import Tensors

@Suite struct XXHash64Tests {
    @Test("piece by piece it is the hash of the whole, however it is cut")
    func pieces() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 37) }
        for count in [0, 1, 31, 32, 33, 63, 64, 96, 127, 255, 300] {
            bytes[..<count].withUnsafeBytes { whole in
                for cut in stride(from: 0, through: count, by: 32) {
                    var hash = XXHash64(seed: 5)
                    hash.update(UnsafeRawBufferPointer(rebasing: whole[..<cut]))
                    #expect(
                        hash.finish(UnsafeRawBufferPointer(rebasing: whole[cut...])) == XXHash64.hash(whole, seed: 5))
                }
            }
        }
    }

    @Test("published values of xxHash64")
    func published() {
        #expect(XXHash64.hash("") == 0xef46_db37_51d8_e999)
        #expect(XXHash64.hash("a") == 0xd24e_c4f1_a98c_6e5b)
        #expect(XXHash64.hash("abc") == 0x44bc_2cf5_ad77_0999)
        #expect(XXHash64.hash("Nobody inspects the spammish repetition") == 0xfbce_a83c_8a37_8bf1)
    }

    @Test("values of the reference implementation for tails of every kind: words, half words, bytes")
    func tails() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37) }
        let known: [Int: UInt64] = [
            8: 0x74c7_2531_3330_d0cc, 16: 0x5ddd_2a45_f741_36e7, 23: 0x229f_c817_9fa9_4997,
            24: 0xfbfe_90d6_31db_63bc, 31: 0x4513_ec5e_bc46_d0d3, 56: 0xec2e_2f5e_1930_e130,
            63: 0x2c9d_78b9_3230_07f3, 100: 0x3f99_fd12_63b5_4f01,
        ]
        for (count, hash) in known {
            #expect(bytes[..<count].withUnsafeBytes { XXHash64.hash($0) } == hash, "\(count) bytes")
        }
    }

    @Test("the partition is the top bits of the row hash")
    func partitions() {
        var seen = Set<Int>()
        for id in 0..<10_000 { seen.insert(partition(of: rowHash(table: 3, id: UInt64(id)), bits: 8)) }
        #expect(seen == Set(0..<256))
        #expect(partition(of: rowHash(table: 3, id: 7), bits: 0) == 0)
        #expect(rowHash(table: 1, id: 7) != rowHash(table: 2, id: 7))
    }
}
