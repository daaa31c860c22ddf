import Datasets
import Tensors
import Testing

@testable import Models

@Suite struct FiniteDifferenceTests {
    private static let samples: [Sample] = [
        Sample(user: 5, item: 20, category: 3, label: 1, history: [(10, 2), (11, 3), (12, 2), (10, 2)]),
        Sample(user: 6, item: 21, category: 2, label: 0, history: []),
        Sample(user: 7, item: 10, category: 2, label: 1, history: [(13, 3), (20, 3)]),
        Sample(user: 8, item: 22, category: 4, label: 0, history: [(14, 4), (15, 4), (20, 3)]),
        Sample(user: 5, item: 11, category: 3, label: 1, history: [(12, 2)]),
    ]

    /// One of each model with dropout in its tower: with one key every step drops the same.
    private static let dropping: [ModelOptions] = {
        var (base, din, dien, dsin): (Base.Options?, DIN.Options?, DIEN.Options?, DSIN.Options?)
        var bst: BST.Options?
        for options in TrapTests.all.reversed() {
            base = options.options as? Base.Options ?? base
            din = options.options as? DIN.Options ?? din
            dien = options.options as? DIEN.Options ?? dien
            dsin = options.options as? DSIN.Options ?? dsin
            bst = options.options as? BST.Options ?? bst
        }
        base?.top.dropout = 0.3
        din?.top.dropout = 0.3
        din?.attention.dropout = 0.2
        dien?.top.dropout = 0.3
        dsin?.top.dropout = 0.3
        bst?.top.dropout = 0.3
        bst?.transformer.dropout = 0.2
        return [
            base.map { .init(kind: .base, options: $0) }, din.map { .init(kind: .din, options: $0) },
            dien.map { .init(kind: .dien, options: $0) }, dsin.map { .init(kind: .dsin, options: $0) },
            bst.map { .init(kind: .bst, options: $0) },
        ].compactMap(\.self)
    }()

    @Test(
        "every model: every gradient equals the central difference of the loss to 1e-3",
        arguments: TrapTests.all + dropping)
    func whole(options: ModelOptions) throws {
        let bench = try Trial(options).bench(Self.samples)
        // Under the key 1 a bend of BST's leaky ReLU lies 2e-4 beside a parameter.
        _ = bench.train(key: 2)
        let dense = (0..<bench.gradient.count).map { bench.gradient.base[$0] }
        let rows = bench.rowGradients
        let entries = bench.model.layout.entries.filter { $0.kind == .trainable }
        let places = entries.flatMap { Array($0.slot.offset..<$0.slot.offset + $0.slot.count) }
        let largest = places.map { dense[$0].magnitude }.max() ?? 1
        for place in places {
            expectSlope(dense[place], of: bench.parameters.base + place, bench, within: largest, "dense \(place)")
        }
        let scale = rows.map(\.magnitude).max() ?? 1
        var first = 0
        for column in bench.rowColumns {
            for place in 0..<column.count {
                expectSlope(
                    rows[first + place], of: column.base + place, bench, within: scale, "row float \(first + place)")
            }
            first += column.count
        }
    }

    /// A step over a bend of an activation, or where a norm bends much, is asked again with smaller ones, and with two of
    /// them extrapolated to none (Richardson): what rounding leaves of the smallest is too coarse.
    private func expectSlope(
        _ slope: Float, of value: UnsafeMutablePointer<Float>, _ bench: ModelBench, within scale: Float, _ name: String
    ) {
        var last: Float = 0
        var told: [Float] = []
        for step: Float in [3e-3, 1e-3, 5e-4, 2.5e-4] {
            let numeric = difference(value, step, bench)
            told += [numeric, (4 * numeric - last) / 3]
            last = numeric
            if told.contains(where: { ($0 - slope).magnitude <= 1e-3 * max(1, scale) }) { return }
        }
        Issue.record("\(name): \(slope), \(told)")
    }

    private func difference(_ value: UnsafeMutablePointer<Float>, _ step: Float, _ bench: ModelBench) -> Float {
        let kept = value.pointee
        value.pointee = kept + step
        let (up, upper) = (bench.train(key: 2), value.pointee)
        value.pointee = kept - step
        let (down, lower) = (bench.train(key: 2), value.pointee)
        value.pointee = kept
        return Float((up - down) / Double(upper - lower))
    }
}
