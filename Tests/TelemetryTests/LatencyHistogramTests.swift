import Foundation
import Testing

@testable import Telemetry

@Suite struct LatencyHistogramTests {
    @Test("quantiles are within 1/32, count, sum, maximum and the counts below powers of two are exact")
    func quantiles() {
        var histogram = LatencyHistogram()
        // A spread from 2 µs to 20 s, in no order.
        let values = (0..<10_000).map { 2e-6 * pow(1e7, Double($0 * 7919 % 10_000) / 10_000) }
        for value in values { histogram.add(seconds: value) }
        let sorted = values.sorted()
        for q in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999] {
            let exact = sorted[max(1, Int((q * 10_000).rounded(.up))) - 1]
            #expect(abs(histogram.quantile(q) / exact - 1) <= LatencyHistogram.quantileError + 1e-9)
        }
        #expect(histogram.count == 10_000)
        #expect(histogram.max == sorted.last)
        #expect(histogram.quantile(1) <= histogram.max)
        for octave in LatencyHistogram.firstOctave...LatencyHistogram.lastOctave {
            let bound = Double(1 << octave)
            #expect(histogram.count(belowOctave: octave) == values.filter { Double(UInt64($0 * 1e9)) < bound }.count)
        }
    }

    @Test("two histograms add up to that of all values, and JSON keeps it")
    func sums() throws {
        var (one, two, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for number in 0..<500 {
            // Powers of two: their sums are exact in any order.
            let value = Double(1 << (number % 20)) / 1_048_576
            if number < 200 { one.add(seconds: value) } else { two.add(seconds: value) }
            both.add(seconds: value)
        }
        one.add(two)
        #expect(one == both)
        let data = try TelemetryJSON.encode(both)
        #expect(try TelemetryJSON.decode(LatencyHistogram.self, from: data) == both)
        #expect(LatencyHistogram().p99 == 0)
    }

    @Test("a histogram from outside with a bucket that does not exist is refused", arguments: ["[1]", "[5000,1]"])
    func malformed(_ buckets: String) {
        let text = #"{"count":1,"sum":1,"max":1,"buckets":\#(buckets)}"#
        #expect(throws: DecodingError.self) { try TelemetryJSON.decode(LatencyHistogram.self, from: Data(text.utf8)) }
    }
}
