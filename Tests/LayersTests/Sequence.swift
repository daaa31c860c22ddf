import Kernels
import Tensors

@testable import Models

/// Values in memory that stays: a view keeps a pointer for longer than the call that an array is passed to.
func stable(_ values: [Int32]) -> UnsafePointer<Int32> {
    let copy = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, values.count))
    copy.initialize(from: values, count: values.count)
    return UnsafePointer(copy)
}

/// Ragged sequences of a test: lengths, offsets and the identity that names rows by position.
struct Sequence {
    let lengths: [Int32]
    let offsets: UnsafePointer<Int32>
    let identity: UnsafePointer<Int32>
    let positions: Int

    init(_ lengths: [Int32]) {
        self.lengths = lengths
        positions = Int(lengths.reduce(0, +))
        offsets = stable(lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) })
        identity = stable((0..<Int32(positions)).map { $0 })
    }

    func time(_ arena: Arena, reversed: Bool = false) -> TimeMajor {
        TimeMajor(offsets: offsets, count: lengths.count, reversed: reversed, arena)
    }
}

/// The rows of x at an index.
func rows(of x: Matrix, at index: UnsafePointer<Int32>, _ arena: Arena) -> Matrix {
    let y = arena.matrix(rows: x.rows, columns: x.columns)
    for row in 0..<x.rows { y[row].update(from: x[Int(index[row])], count: x.columns) }
    return y
}

/// The elements of a matrix, row by row.
func elements(_ x: Matrix) -> [Float] { (0..<x.count).map { x[$0 / x.columns, $0 % x.columns] } }

/// Largest difference.
func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0 : .infinity
}

/// A GRU of a kind over sequences, with its memory: what the tests of its conventions run.
struct GRUBench {
    let layer: GRU
    let layout: ParameterLayout
    let parameters: DenseVector
    let arena = Arena()

    init(
        input: Int, width: Int, mixing: GRUMixing = .gate, scalesInput: Bool = false, _ options: GRU.Options = .init(),
        start: Double = 5
    ) {
        var layout = ParameterLayout()
        layer = GRU(
            "g", input: input, width: width, mixing: mixing, scalesInput: scalesInput, options, in: &layout)
        self.layout = layout
        parameters = FiniteDifferences(layout, start: start).parameters
    }

    /// The states by position.
    func states(_ x: Matrix, attention: [Float]?, _ sequence: Sequence) -> [Float] {
        let time = sequence.time(arena)
        let pass = pass(parameters, arena)
        let a = attention.map { values in
            let a = arena.matrix(rows: values.count, columns: 1)
            a.base.update(from: values, count: values.count)
            return pass.variable(a)
        }
        let states = output {
            layer.run(pass.variable(x), rowOf: sequence.identity, attention: a, time, pass, $0)
        }
        return elements(rows(of: states, at: time.rowOf, arena))
    }

    /// Copies the weights of another GRU; gates that one lacks are left out.
    func copy(from other: GRUBench) {
        for entry in layout.entries {
            guard let source = other.layout.entry(named: entry.name) else { continue }
            let (from, to) = (other.parameters[source.slot], parameters[entry.slot])
            let shift = from.columns - to.columns
            for row in 0..<to.rows { for column in 0..<to.columns { to[row, column] = from[row, column + shift] } }
        }
    }
}
