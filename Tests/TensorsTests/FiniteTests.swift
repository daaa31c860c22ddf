import Tensors
import Testing

@Suite struct FiniteTests {
    @Test("a float that is no number is found wherever it stands, and no number is taken for one")
    func finds() {
        let good: [Float] = [
            0, -0.0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
        ]
        for count in 0...40 {
            var floats = (0..<count).map { good[$0 % good.count] }
            #expect(areFinite(floats, count: count))
            for bad in [Float.infinity, -.infinity, .nan, -Float.nan, Float(bitPattern: 0xff80_0001)] {
                for place in 0..<count {
                    let before = floats[place]
                    floats[place] = bad
                    #expect(!areFinite(floats, count: count))
                    floats[place] = before
                }
            }
        }
    }
}
