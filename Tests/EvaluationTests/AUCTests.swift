import Testing

@testable import Telemetry

@Suite struct AUCTests {
    /// Reproducible numbers in [0, bound).
    private struct Numbers {
        var state: UInt64
        mutating func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    @Test("equals the definition over all pairs, ties counted half (trap 38)", arguments: 1...20)
    func definition(seed: UInt64) throws {
        var numbers = Numbers(state: seed)
        let scores = (0..<80).map { _ in Float(numbers.next(12)) }
        let labels = (0..<80).map { _ in Float(numbers.next(2)) }
        var right = 0.0
        var pairs = 0.0
        for p in 0..<80 where labels[p] == 1 {
            for n in 0..<80 where labels[n] == 0 {
                pairs += 1
                right += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0
            }
        }
        let auc = try #require(areaUnderROC(scores: scores, labels: labels))
        #expect(abs(auc - right / pairs) < 1e-12)
        #expect(areaUnderROC(scores: scores.reversed(), labels: labels.reversed()) == auc)
    }

    @Test("one class has no AUC")
    func oneClass() {
        #expect(areaUnderROC(scores: [1, 2], labels: [1, 1]) == nil)
        #expect(areaUnderROC(scores: [], labels: []) == nil)
        #expect(groupedAUC(scores: [1, 2], labels: [1, 1], keys: [1, 1]) == nil)
    }

    @Test("GAUC leaves users of one class out and weights by impressions (trap 39)")
    func grouped() throws {
        // User 1: AUC 1 over 2, user 2: AUC 0.5 over 4, user 3: positives only.
        let scores: [Float] = [2, 1, 1, 1, 1, 1, 9, 9]
        let labels: [Float] = [1, 0, 1, 0, 1, 0, 1, 1]
        let keys: [UInt64] = [1, 1, 2, 2, 2, 2, 3, 3]
        let gauc = try #require(groupedAUC(scores: scores, labels: labels, keys: keys))
        #expect(abs(gauc - (1.0 * 2 + 0.5 * 4) / 6) < 1e-12)
        #expect(groupedAUC(scores: [5, 5, 5, 5], labels: [1, 0, 1, 0], keys: [1, 1, 2, 2]) == 0.5)
    }

    /// (AUC, RelaImpr in percent, AUC of the base) as the DIN paper prints them.
    static let printed: [(Double, Double, Double)] = [
        (0.7263, -1.61, 0.7300), (0.7304, 0.17, 0.7300), (0.7321, 0.91, 0.7300), (0.7324, 1.04, 0.7300),
        (0.7337, 1.61, 0.7300), (0.7348, 2.09, 0.7300), (0.7742, -24.34, 0.8624), (0.8637, 0.36, 0.8624),
        (0.8679, 1.52, 0.8624), (0.8683, 1.63, 0.8624), (0.8818, 5.35, 0.8624), (0.8871, 6.82, 0.8624),
        (0.5959, 2.02, 0.5940), (0.5970, 3.19, 0.5940), (0.5983, 4.57, 0.5940), (0.5954, 1.49, 0.5940),
        (0.6031, 9.68, 0.5940), (0.6029, 6.08, 0.5970), (0.6060, 9.28, 0.5970), (0.6083, 11.65, 0.5970),
    ]

    @Test("RelaImpr recomputes the paper's tables (trap 40)", arguments: printed)
    func relaImpr(auc: Double, percent: Double, base: Double) {
        #expect(abs(relativeImprovement(auc, over: base) - percent) <= 0.0101)
    }

    @Test("metrics are those of the formulas")
    func metrics() {
        let metrics = Metrics(logits: [0, 2, -1], labels: [1, 1, 0], keys: [1, 1, 1])
        #expect(metrics.auc == 1 && metrics.samples == 3 && metrics.positives == 2)
        #expect(abs(metrics.logLoss - (0.693_147_180_6 + 0.126_928_011_0 + 0.313_261_687_5) / 3) < 1e-9)
        #expect(abs(metrics.calibration - (0.5 + 0.880_797_078 + 0.268_941_421) / 2) < 1e-8)
    }
}

@Suite struct ScoreBookTests {
    private func add(_ book: inout ScoreBook, _ first: Int, _ logits: [Float], _ labels: [Float]) throws {
        let keys = [UInt64](repeating: 1, count: logits.count)
        try logits.withUnsafeBufferPointer { a in
            try labels.withUnsafeBufferPointer { b in
                try keys.withUnsafeBufferPointer { c in
                    try book.add(first: first, logits: a, labels: b, keys: c)
                }
            }
        }
    }

    @Test("parts in any order, twice, give the metrics of the whole")
    func order() throws {
        var book = ScoreBook(sampleCount: 4)
        try add(&book, 2, [-1, 3], [0, 1])
        #expect(!book.isComplete)
        try add(&book, 2, [-1, 3], [0, 1])
        #expect(!book.isComplete)
        try add(&book, 0, [0, 1], [1, 0])
        #expect(book.isComplete)
        let whole = Metrics(logits: [0, 1, -1, 3], labels: [1, 0, 0, 1], keys: [1, 1, 1, 1])
        #expect(book.metrics() == whole)
    }

    @Test("samples beyond the split and NaN are refused")
    func faults() {
        var book = ScoreBook(sampleCount: 2)
        #expect(throws: ScoreBook.Fault.outside(first: 1, count: 2, samples: 2)) { try add(&book, 1, [0, 0], [0, 1]) }
        #expect(throws: ScoreBook.Fault.notFinite(count: 1)) { try add(&book, 0, [.nan, 0], [0, 1]) }
    }

    @Test("the running AUC agrees with the exact one on separated bins")
    func running() throws {
        var running = RunningAUC()
        #expect(running.value == nil)
        running.add(negatives: [3, 1, 0], positives: [0, 1, 4])
        let value = try #require(running.value)
        #expect(abs(value - (1 * 3.5 + 4 * 4) / 20) < 1e-12)
    }

    @Test("what was counted before fades, clicks and non-clicks alike")
    func fading() throws {
        var running = RunningAUC(memory: 0.5)
        running.add(negatives: [8, 0], positives: [0, 8])
        #expect(running.value == 1)
        running.add(negatives: [0, 8], positives: [8, 0])
        // 4 and 8 non-clicks, 8 and 4 clicks.
        let value = try #require(running.value)
        #expect(abs(value - (8 * 2 + 4 * (4 + 4)) / (12 * 12)) < 1e-12)
    }
}
