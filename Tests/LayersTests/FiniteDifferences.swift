import Tensors
import Testing

@testable import Models

/// Values that look random and never change: F(s, i) = sin(s + 0.37·i).
func wave(_ start: Double, _ index: Int) -> Float {
    // The golden values were made with this rule, in double precision.
    Float(sine(start + 0.37 * Double(index)))
}

/// sin x by its series after reduction: the tests need no C library.
private func sine(_ x: Double) -> Double {
    let turns = (x / (2 * Double.pi)).rounded()
    let r = x - turns * 2 * Double.pi
    var (term, sum) = (r, r)
    for k in 1..<14 {
        term *= -r * r / Double((2 * k) * (2 * k + 1))
        sum += term
    }
    return sum
}

/// A pass that trains.
func pass(
    _ parameters: DenseVector, _ arena: Arena, into gradient: DenseVector? = nil, samples: Int = 1, key: UInt64 = 1
) -> Pass {
    Pass(
        training: samples, parameters, into: gradient ?? DenseVector(count: parameters.count), key: key, arena)
}

/// The output of a layer that is run up alone.
func output(_ run: (Above) -> Void) -> Matrix {
    var y: Matrix?
    run {
        y = $0
        return nil
    }
    guard let y else { preconditionFailure("the layer has an output") }
    return y
}

/// Compares a layer's gradients with central differences of Σ weight·output.
struct FiniteDifferences {
    let arena = Arena()
    let layout: ParameterLayout
    let parameters: DenseVector

    init(_ layout: ParameterLayout, start: Double = 5) {
        self.layout = layout
        parameters = DenseVector(count: layout.count)
        for (number, entry) in layout.entries.enumerated() {
            let slot = parameters[entry.slot]
            for index in 0..<entry.slot.count {
                slot.base[index] = entry.name.hasSuffix("variance") ? 1.3 : wave(start + Double(number), index)
            }
        }
    }

    /// A pass that trains, or scores.
    func pass(
        into gradient: DenseVector? = nil, samples: Int = 1, key: UInt64 = 1, training: Bool = true
    ) -> Pass {
        guard training else { return Pass(scoring: samples, parameters, arena) }
        return Pass(
            training: samples, parameters, into: gradient ?? DenseVector(count: layout.count), key: key, arena)
    }

    /// The weights of the sum.
    static func seeds(_ matrix: Matrix) -> [Float] { (0..<matrix.count).map { wave(0.9, 3 * $0 + 1) } }

    static func weighted(_ matrix: Matrix) -> Double {
        zip(0..<matrix.count, seeds(matrix)).reduce(0) { $0 + Double(matrix.base[$1.0]) * Double($1.1) }
    }

    /// - Parameters:
    ///   - inputs: matrices that the layer reads.
    ///   - step: half the difference; smaller where the output bends more.
    ///   - run: runs the layer; gives the gradients by the inputs in their order.
    func check(
        _ inputs: [Matrix], step: Float = 4e-3, samples: Int = 1, key: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation, run: (Pass, Above) -> [Matrix?]
    ) {
        let gradient = DenseVector(count: layout.count)
        func forward() -> Matrix {
            var y: Matrix?
            _ = run(pass(samples: samples, key: key)) {
                y = $0
                return nil
            }
            guard let y else { preconditionFailure("the layer has an output") }
            return y
        }
        let gradients = run(pass(into: gradient, samples: samples, key: key)) { y in
            let dy = arena.matrix(rows: y.rows, columns: y.columns)
            for (index, seed) in FiniteDifferences.seeds(y).enumerated() { dy.base[index] = seed }
            return dy
        }
        for (input, analytic) in zip(inputs, gradients) {
            guard let analytic else { preconditionFailure("the layer gives the gradient of each input") }
            compare(input.base, analytic.base, input.count, "input", step, forward, sourceLocation)
        }
        for entry in layout.entries where entry.kind == .trainable {
            compare(
                parameters[entry.slot].base, gradient[entry.slot].base, entry.slot.count, entry.name, step, forward,
                sourceLocation)
        }
    }

    private func compare(
        _ values: UnsafeMutablePointer<Float>, _ analytic: UnsafeMutablePointer<Float>, _ count: Int, _ name: String,
        _ step: Float, _ forward: () -> Matrix, _ sourceLocation: SourceLocation
    ) {
        let scale = max(1, (0..<count).map { analytic[$0].magnitude }.max() ?? 1)
        for index in 0..<count {
            let kept = values[index]
            values[index] = kept + step
            let (up, upper) = (FiniteDifferences.weighted(forward()), values[index])
            values[index] = kept - step
            let (down, lower) = (FiniteDifferences.weighted(forward()), values[index])
            values[index] = kept
            let numeric = Float((up - down) / Double(upper - lower))
            #expect(
                (numeric - analytic[index]).magnitude <= 1e-3 * scale,
                "\(name)[\(index)]: \(analytic[index]) against \(numeric)",
                sourceLocation: sourceLocation)
        }
    }
}

extension Arena {
    /// A matrix of waves, none of them within 0.02 of 0 so that kinks stay away from the differences.
    func waves(rows: Int, columns: Int, _ start: Double) -> Matrix {
        let x = matrix(rows: rows, columns: columns)
        for index in 0..<x.count {
            let value = wave(start, index)
            x.base[index] = value.magnitude < 0.02 ? value + 0.05 : value
        }
        return x
    }
}
