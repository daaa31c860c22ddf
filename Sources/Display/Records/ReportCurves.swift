import Telemetry

/// The curves of a run, or of several over each other.
struct ReportCurves {
    private let runs: [RecordedRun]
    /// Seconds of one unit of the axis of time, and its name.
    private let unit: (seconds: Double, name: String)

    init(_ runs: [RecordedRun]) {
        self.runs = runs
        let longest = runs.map { ($0.points.last?.time ?? 0) - ($0.points.first?.time ?? 0) }.max() ?? 0
        unit =
            longest < 180 ? (1, "seconds") : longest < 3 * 3600 ? (60, "minutes") : (3600, "hours")
    }

    var markup: Markup {
        let charts = all.map(\.markup).filter { !$0.isEmpty }
        return charts.isEmpty
            ? "<p class=\"empty\">No progress was recorded.</p>" : "<div class=\"charts\">\(charts)</div>"
    }

    private var isComparison: Bool { runs.count > 1 }

    /// What is measured of a run, and how its line looks.
    private struct Measure {
        let name: String
        let color: Int
        let points: (RecordedRun) -> [Chart.Point]
        let isDashed: Bool
        let hasDots: Bool

        init(
            _ name: String, _ color: Int, dashed: Bool = false, dots: Bool = false,
            _ points: @escaping (RecordedRun) -> [Chart.Point]
        ) {
            self.name = name
            self.color = color
            self.points = points
            isDashed = dashed
            hasDots = dots
        }
    }

    /// Lines of each run, over steps or (from zero) over time: its own color each in a comparison, the measure's otherwise.
    private func chart(
        _ title: String, overTime label: ((Double) -> String)? = nil, _ measures: Measure...
    ) -> Chart {
        let colors = Palette.colors.count
        let lines = measures.flatMap { measure in
            runs.enumerated().map { number, run in
                let name = measures.count > 1 ? "\(run.name) \(measure.name)" : run.name
                return Chart.Line(
                    name: isComparison ? name : measure.name, points: measure.points(run),
                    color: isComparison ? number % colors : measure.color,
                    isDashed: measure.isDashed != (isComparison && number / colors % 2 == 1), hasDots: measure.hasDots)
            }
        }
        return Chart(
            title: title, axis: label == nil ? "step" : unit.name, lines: lines, fromZero: label != nil,
            label: label ?? { Quantity.metric($0) })
    }

    private func steps(_ value: @escaping (Record) -> Double?) -> (RecordedRun) -> [Chart.Point] {
        { run in run.points.compactMap { point in value(point).map { Chart.Point(x: Double(point.step ?? 0), y: $0) } }
        }
    }

    private func times(_ value: @escaping (Record) -> Double?) -> (RecordedRun) -> [Chart.Point] {
        let seconds = unit.seconds
        return { run in
            let began = run.points.first?.time ?? 0
            // Nothing happened in a pause: no line is drawn through it.
            var pauses = run.starts.map(\.began).drop { $0 <= began }
            return run.points.reduce(into: []) { points, point in
                guard let y = value(point) else { return }
                let rest = pauses.drop { $0 <= point.time }
                if rest.count < pauses.count { points.append(.gap) }
                pauses = rest
                points.append(Chart.Point(x: (point.time - began) / seconds, y: y))
            }
        }
    }

    private func validations(_ value: @escaping (EvaluationStatus) -> Double?) -> (RecordedRun) -> [Chart.Point] {
        { run in
            let split = run.status.best?.split
            return run.status.evaluations.filter { $0.split == split }.compactMap { found in
                value(found).map { Chart.Point(x: Double(found.step), y: $0) }
            }
        }
    }

    private var all: [Chart] {
        let auxiliary = steps { $0.auxiliaryLoss.flatMap { $0 == 0 ? nil : $0 } }
        let charts = [
            chart("Loss a sample", Measure("loss", 0, steps(\.loss))),
            chart("Auxiliary loss a sample", Measure("auxiliary loss", 1, auxiliary)),
            chart("Running AUC, before each update", Measure("AUC", 2, steps(\.auc))),
            chart(
                "Validation AUC and GAUC", Measure("AUC", 0, dots: true, validations(\.auc)),
                Measure("GAUC", 1, dashed: true, dots: true, validations(\.gauc))),
            chart("Validation log loss", Measure("log loss", 3, dots: true, validations(\.logLoss))),
            chart("Samples a second", overTime: Quantity.rate, Measure("samples/s", 0, times(\.samplesPerSecond))),
            chart("Rows stored", overTime: Quantity.number, Measure("rows", 2, times { $0.rows.map(Double.init) })),
            chart(
                "Traffic of all shards, a second", overTime: Quantity.bytes,
                Measure("received", 0, times(\.receivedBytesPerSecond)),
                Measure("sent", 1, dashed: true, times(\.sentBytesPerSecond))),
        ]
        // Four lines of several runs tell nobody anything.
        guard !isComparison else { return charts }
        return charts + [
            chart(
                "Where the workers' time goes", overTime: Quantity.percent, Measure("compute", 0, times(\.compute)),
                Measure("wait", 4, dashed: true, times(\.wait)), Measure("read", 5, times(\.read)),
                Measure("push", 3, dashed: true, times(\.push)))
        ]
    }
}
