import Datasets
import Tensors
import Testing

@testable import Models

/// What is BST's own: buckets of time, the newest behaviors, and the target among them.
@Suite struct BSTTests {
    @Test("a behavior's bucket doubles with its age; the future is now, and what is very old is in the last one")
    func buckets() {
        var position = BST.PositionOptions()
        position.buckets = 6
        #expect([-5, 0, 59, 60, 179, 180, 419, 420, 900].map(position.bucket) == [1, 1, 1, 2, 2, 3, 3, 4, 5])
        #expect([1 << 40, .max, .min].map(position.bucket) == [5, 5, 1])
        (position.buckets, position.unit) = (62, 1)
        #expect([0, 1, 2, 3, .max - 1, .max].map(position.bucket) == [1, 2, 2, 3, 61, 61])
    }

    private static var options: BST.Options {
        var options = BST.Options()
        options.embedding.width = 4
        options.position.width = 4
        options.position.unit = 1
        options.top.hidden = [8]
        return options
    }

    private static func sample(_ items: [UInt64]) -> Sample {
        Sample(item: 20, category: 3, history: items.map { ($0, 2) })
    }

    private func score(_ options: BST.Options, _ samples: [Sample]) throws -> Float {
        try #require(try Trial(.init(kind: .bst, options: options)).scores(samples).last)
    }

    @Test("behaviors beyond the newest change nothing; the others do")
    func newest() throws {
        var options = Self.options
        options.length = 3
        let score = try score(options, [Self.sample([10, 11, 12, 13])])
        #expect(try self.score(options, [Self.sample([15, 16, 17, 11, 12, 13])]) == score)
        #expect(try self.score(options, [Self.sample([10, 17, 12, 13])]) != score)
        options.length = 0
        #expect(try self.score(options, [Self.sample([10])]) == (try self.score(options, [Self.sample([])])))
    }

    @Test("when a behavior was matters through its bucket alone, and not at all without positions")
    func times() throws {
        func scores(_ options: BST.Options, now: Int64, at times: [Int64]) throws -> [Float] {
            let bench = try Trial(.init(kind: .bst, options: options)).bench([Self.sample([10, 11])])
            bench.batch.times[0] = now
            for (position, time) in times.enumerated() { bench.batch.positionTimes[position] = time }
            bench.score()
            return bench.logits
        }
        let scores0 = try scores(Self.options, now: 1000, at: [900, 990])
        #expect(try scores(Self.options, now: 5000, at: [4900, 4990]) == scores0)
        #expect(try scores(Self.options, now: 1000, at: [880, 991]) == scores0)
        #expect(try scores(Self.options, now: 1000, at: [500, 990]) != scores0)
        var without = Self.options
        without.position.width = 0
        #expect(
            try scores(without, now: 1000, at: [500, 990]) == (try scores(without, now: 1000, at: [900, 990])))
    }

    @Test("times at their extremes are ages too")
    func extremes() throws {
        let bench = try Trial(.init(kind: .bst, options: Self.options)).bench([Self.sample([10, 11])])
        for (now, first, second) in [(Int64.max, Int64.min, Int64.max), (.min, .max, .min), (0, .min, .max)] {
            bench.batch.times[0] = now
            (bench.batch.positionTimes[0], bench.batch.positionTimes[1]) = (first, second)
            #expect(bench.train(key: 1).isFinite)
        }
    }
}
