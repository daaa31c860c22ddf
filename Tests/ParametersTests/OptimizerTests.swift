import Foundation
import Tensors
import Testing

@testable import Parameters

/// The methods written out in double precision, one row at a time: what the fast updates must agree with.
struct Oracle {
    let options: OptimizerOptions
    var w: [Double]
    var a: [Double]
    var b: [Double]

    init(_ options: OptimizerOptions, _ w: [Float]) {
        self.options = options
        self.w = w.map(Double.init)
        a = [Double](repeating: options.kind == .adagrad ? Double(options.initialAccumulator) : 0, count: w.count)
        b = [Double](repeating: options.kind == .ftrl ? Double(options.initialAccumulator) : 0, count: w.count)
        if options.kind == .adagradRowwise { a = [Double(options.initialAccumulator)] }
    }

    mutating func update(_ g: [Double], step: Int) {
        let rate = Double(options.rate)
        let (beta1, beta2) = (Double(options.beta1), Double(options.beta2))
        let epsilon = Double(options.epsilon)
        if options.kind == .adagradRowwise {
            a[0] += g.map { $0 * $0 }.reduce(0, +) / Double(g.count)
        }
        for i in w.indices {
            switch options.kind {
            case .sgd: w[i] -= rate * g[i]
            case .momentum:
                a[i] = Double(options.momentum) * a[i] + g[i]
                w[i] -= rate * (options.nesterov ? g[i] + Double(options.momentum) * a[i] : a[i])
            case .adagrad:
                a[i] += g[i] * g[i]
                w[i] -= rate * g[i] / (a[i].squareRoot() + epsilon)
            case .adagradRowwise: w[i] -= rate * g[i] / (a[0].squareRoot() + epsilon)
            case .adam:
                a[i] = beta1 * a[i] + (1 - beta1) * g[i]
                b[i] = beta2 * b[i] + (1 - beta2) * g[i] * g[i]
                let m = a[i] / (1 - pow(beta1, Double(step)))
                let v = b[i] / (1 - pow(beta2, Double(step)))
                w[i] -= rate * m / (v.squareRoot() + epsilon)
            case .ftrl: ftrl(i, g[i])
            }
        }
    }

    private mutating func ftrl(_ i: Int, _ g: Double) {
        let alpha = Double(options.rate)
        let n = b[i] + g * g
        a[i] += g - (n.squareRoot() - b[i].squareRoot()) / alpha * w[i]
        b[i] = n
        let l1 = Double(options.l1)
        let shrunk = abs(a[i]) <= l1 ? 0 : a[i] - (a[i] < 0 ? -l1 : l1)
        w[i] = -shrunk / ((Double(options.beta) + n.squareRoot()) / alpha + Double(options.l2))
    }
}

/// One of each method, with settings that show.
let methods: [OptimizerOptions] =
    OptimizerOptions.Kind.allCases.map { kind in
        var options = OptimizerOptions(kind: kind, rate: 0.05)
        options.initialAccumulator = 0.1
        options.l1 = 0.3
        options.l2 = 0.2
        options.beta2 = 0.9
        return options
    } + [
        {
            var options = OptimizerOptions(kind: .momentum, rate: 0.05)
            options.nesterov = true
            return options
        }()
    ]

@Test("rows follow their method's formula, each by its own state, over 100 steps", arguments: methods, [1, 3, 18, 40])
func rowsFollowTheFormula(options: OptimizerOptions, width: Int) throws {
    var random = RandomSource(UInt64(width))
    let table = try makeTable(width: width, optimizer: options)
    let ids = random.ids(20)
    let start = try table.weights(ids)
    var oracles = ids.indices.map { Oracle(options, Array(start[$0 * width..<($0 + 1) * width])) }
    for step in 1...100 {
        let touched = ids.indices.filter { _ in Bool.random(using: &random) }.shuffled(using: &random)
        let gradients = random.floats(touched.count * width)
        try table.push(touched.map { ids[$0] }, gradients, scale: 0.5, step: step)
        for (i, row) in touched.enumerated() {
            oracles[row].update(gradients[i * width..<(i + 1) * width].map { 0.5 * Double($0) }, step: step)
        }
    }
    #expect(agree(try table.weights(ids), oracles.flatMap(\.w), 2e-4))
}

@Test("the dense slice follows the same formulas", arguments: methods.filter { $0.kind != .adagradRowwise })
func denseFollowsTheFormula(options: OptimizerOptions) throws {
    var layout = ParameterLayout()
    let slot = layout.matrix("w", rows: 5, columns: 7)
    let dense = try DenseSlice(layout: layout, range: 0..<layout.count, options: DenseOptions(optimizer: options))
    var random = RandomSource(3)
    let start = random.floats(layout.count)
    dense.load(start)
    var oracle = Oracle(options, Array(start[0..<slot.count]))
    for step in 1...50 {
        let gradient = random.floats(layout.count)
        dense.apply(gradient: gradient, scale: 0.25, step: step)
        oracle.update(gradient[0..<slot.count].map { 0.25 * Double($0) }, step: step)
    }
    #expect(agree((0..<slot.count).map { dense.weights[$0] }, oracle.w, 2e-4))
}

@Test("rows hold no more state than their method needs")
func slotsPerMethod() throws {
    let slots = try OptimizerOptions.Kind.allCases.map { kind in
        try makeTable(width: 18, optimizer: OptimizerOptions(kind: kind)).layout.slots
    }
    #expect(slots == [0, 18, 18, 1, 36, 36])
}

@Test("a schedule moves rows by its rate of the step")
func rowsFollowTheSchedule() throws {
    let table = try makeTable(
        width: 1, optimizer: .init(kind: .sgd, rate: 1), schedule: .init(kind: .step, factor: 0.5, every: 2),
        initial: .zero)
    for step in 1...5 { try table.push([9], [-1], step: step) }
    #expect(try table.weights([9]) == [1 + 1 + 0.5 + 0.5 + 0.25])
}
