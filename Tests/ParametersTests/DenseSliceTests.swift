import Tensors
import Testing

@testable import Parameters

/// Two matrices with padding between them, and two rows of statistics.
private func makeLayout() -> ParameterLayout {
    var layout = ParameterLayout()
    _ = layout.matrix("a", rows: 7, columns: 13)
    _ = layout.statistic("mean", columns: 5, initial: 0)
    _ = layout.statistic("variance", columns: 5, initial: 1)
    _ = layout.matrix("b", rows: 50, columns: 61)
    return layout
}

@Test("the bits do not depend on how the vector is cut", arguments: methods.filter { $0.kind != .adagradRowwise })
func slicingInvariance(options: OptimizerOptions) throws {
    let layout = makeLayout()
    var random = RandomSource(6)
    let start = random.floats(layout.count)
    let gradients = (1...4).map { _ in random.floats(layout.count) }
    let dense = DenseOptions(optimizer: options, l2: 0.01)
    func run(_ cuts: [Int]) throws -> [UInt32] {
        var result: [UInt32] = []
        var state: [UInt32] = []
        for (lower, upper) in zip(cuts, cuts.dropFirst()) {
            let slice = try DenseSlice(layout: layout, range: lower..<upper, options: dense)
            start.withUnsafeBufferPointer { $0.baseAddress.map { slice.load($0 + lower) } }
            for (step, gradient) in gradients.enumerated() {
                gradient.withUnsafeBufferPointer {
                    #expect(
                        $0.baseAddress.map { slice.apply(gradient: $0 + lower, scale: 0.125, step: step + 1) } == true)
                }
            }
            result += (0..<slice.range.count).map { slice.weights[$0].bitPattern }
            for slot in 0..<slice.slotsPerWeight {
                state += (0..<slice.range.count).map { slice.slots[slot * slice.range.count + $0].bitPattern }
            }
            if cuts.count == 2 { continue }
            state.removeAll()
        }
        return result + state
    }
    let whole = try run([0, layout.count])
    let weights = Array(whole.prefix(layout.count))
    #expect(try run([0, 1, 17, 91, 95, 100, 120, 130, 1000, 2049, layout.count]) == weights)
    #expect(try run([0, layout.count / 2, layout.count]) == weights)
    #expect(try run([0, 0, layout.count / 3, layout.count, layout.count]) == weights)
}

@Test("running statistics follow their average, never the optimizer, and padding stays as it was")
func statistics() throws {
    let layout = makeLayout()
    let mean = try #require(layout.entry(named: "mean")).slot
    var options = DenseOptions(optimizer: OptimizerOptions(kind: .adam), l2: 0.001, statisticMomentum: 0.9)
    options.optimizer.rate = 100
    let slice = try DenseSlice(layout: layout, range: 0..<layout.count, options: options)
    let samples: Float = 8
    var expected = 0.0
    for step in 1...20 {
        slice.apply(
            gradient: [Float](repeating: samples * Float(step), count: layout.count), scale: 1 / samples, step: step)
        expected = 0.9 * expected + 0.1 * Double(step)
    }
    #expect((0..<5).allSatisfy { abs(Double(slice.weights[mean.offset + $0]) - expected) < 1e-5 })
    #expect((5..<16).allSatisfy { slice.weights[mean.offset + $0] == 0 }, "padding")
    #expect((7 * 13..<mean.offset).allSatisfy { slice.weights[$0] == 0 }, "padding")
    #expect(slice.weights[0] < -100)
}

@Test("two workers' statistics give the running value of one worker with both micro-batches")
func statisticsOfTwoWorkers() throws {
    let layout = makeLayout()
    func run(_ order: [Int]) throws -> [UInt32] {
        let slice = try DenseSlice(layout: layout, range: 0..<layout.count, options: DenseOptions())
        let accumulator = StepAccumulator(widths: [], denseCount: layout.count)
        var random = RandomSource(12)
        for step in 1...5 {
            let parts = (0..<2).map { _ in random.floats(layout.count) }
            accumulator.begin(step: step, microBatches: 2)
            for part in order {
                _ = accumulator.add(
                    node: Subtree(level: 0, index: part), samples: 4, tables: noTables, dense: parts[part])
            }
            slice.apply(gradient: accumulator.dense, scale: 1 / Float(accumulator.samples), step: step)
        }
        return (0..<layout.count).map { slice.weights[$0].bitPattern }
    }
    #expect(try run([0, 1]) == run([1, 0]))
}

/// What an accumulator without tables is given.
private var noTables: [RowGradients] { [] }

@Test("decay is coupled or decoupled as told")
func denseDecay() throws {
    let layout = makeLayout()
    func run(_ kind: OptimizerOptions.Kind, _ mode: RegularizationOptions.Mode) throws -> Float {
        let options = DenseOptions(optimizer: .init(kind: kind, rate: 0.5), l2: 0.25, mode: mode)
        let slice = try DenseSlice(layout: layout, range: 0..<layout.count, options: options)
        slice.load([Float](repeating: 2, count: layout.count))
        slice.apply(gradient: [Float](repeating: 0, count: layout.count), scale: 1, step: 1)
        return slice.weights[0]
    }
    #expect(try run(.sgd, .coupled) == 2 - 0.5 * 0.25 * 2)
    #expect(try run(.sgd, .decoupled) == 2 * (1 - 0.5 * 0.25))
    #expect(try abs(run(.adam, .coupled) - 1.5) < 1e-5)
    #expect(try run(.adam, .auto) == 2 * (1 - 0.5 * 0.25))
}

@Test("loading weights starts the optimizer afresh")
func loadingResets() throws {
    let layout = makeLayout()
    let gradient = [Float](repeating: 1, count: layout.count)
    let zeros = [Float](repeating: 0, count: layout.count)
    let slice = try DenseSlice(layout: layout, range: 3..<40, options: DenseOptions())
    slice.apply(gradient: gradient, scale: 1, step: 1)
    let first = slice.weights[0]
    slice.load(zeros)
    #expect(slice.weights[0] == 0)
    slice.apply(gradient: gradient, scale: 1, step: 1)
    #expect(slice.weights[0] == first)
}
