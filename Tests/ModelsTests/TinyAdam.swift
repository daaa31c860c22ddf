import Datasets
import Tensors

@testable import Models

/// Adam over everything that a bench holds: enough to learn a handful of samples by heart.
final class TinyAdam {
    private let bench: ModelBench
    private var moments: [(m: [Float], v: [Float])]

    init(_ bench: ModelBench) {
        self.bench = bench
        let counts = [bench.gradient.count] + bench.rowColumns.map(\.count)
        moments = counts.map { ([Float](repeating: 0, count: $0), [Float](repeating: 0, count: $0)) }
    }

    /// Moves parameters and rows along the gradients of the last `train`.
    func step(_ number: Int) {
        let samples = Float(bench.batch.sampleCount)
        for entry in bench.model.layout.entries {
            for place in entry.slot.offset..<entry.slot.offset + entry.slot.count {
                let g = bench.gradient.base[place] / samples
                if entry.kind == .trainable {
                    bench.parameters.base[place] -= move(0, place, g, number)
                } else {
                    bench.parameters.base[place] = 0.9 * bench.parameters.base[place] + 0.1 * g
                }
            }
        }
        let gradients = bench.rowGradients
        var first = 0
        for (table, column) in bench.rowColumns.enumerated() {
            for place in 0..<column.count {
                column[place] -= move(table + 1, place, gradients[first + place] / samples, number)
            }
            first += column.count
        }
    }

    private func move(_ table: Int, _ place: Int, _ g: Float, _ step: Int) -> Float {
        moments[table].m[place] = 0.9 * moments[table].m[place] + 0.1 * g
        moments[table].v[place] = 0.99 * moments[table].v[place] + 0.01 * g * g
        var (first, second): (Float, Float) = (1, 1)
        for _ in 0..<min(step, 2000) {
            first *= 0.9
            second *= 0.99
        }
        return 0.02 * moments[table].m[place] / (1 - first)
            / ((moments[table].v[place] / (1 - second)).squareRoot() + 1e-6)
    }
}
