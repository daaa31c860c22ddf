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
        let charts = (byStep + byTime).map(\.markup).filter { !$0.isEmpty }
        return charts.isEmpty
            ? "<p class=\"empty\">No progress was recorded.</p>" : "<div class=\"charts\">\(charts)</div>"
    }

    private var isComparison: Bool { runs.count > 1 }

    /// What is measured of a run, and how its line looks.
    private struct Measure {
        let name: String
        let color: Int
        var isDashed = false
        var hasDots = false
        let points: (RecordedRun) -> [Chart.Point]
    }

    /// Lines of each run: its own color each in a comparison, the measure's color otherwise.
    private func chart(
        _ title: String, _ axis: String, fromZero: Bool = false, label: @escaping (Double) -> String,
        _ measures: [Measure]
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
        return Chart(title: title, axis: axis, lines: lines, fromZero: fromZero, label: label)
    }

    private func steps(_ value: @escaping (RecordedRun.Line) -> Double?) -> (RecordedRun) -> [Chart.Point] {
        { run in run.points.compactMap { point in value(point).map { Chart.Point(x: Double(point.place), y: $0) } } }
    }

    private func times(_ value: @escaping (RecordedRun.Line) -> Double?) -> (RecordedRun) -> [Chart.Point] {
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

    private var byStep: [Chart] {
        func chart(_ title: String, _ measures: Measure...) -> Chart {
            self.chart(title, "step", label: { Quantity.metric($0) }, measures)
        }
        let auxiliary = steps { $0.auxiliaryLoss.flatMap { $0 == 0 ? nil : $0 } }
        return [
            chart("Loss a sample", Measure(name: "loss", color: 0, points: steps(\.loss))),
            chart("Auxiliary loss a sample", Measure(name: "auxiliary loss", color: 1, points: auxiliary)),
            chart("Running AUC, before each update", Measure(name: "AUC", color: 2, points: steps(\.auc))),
            chart(
                "Validation AUC and GAUC",
                Measure(name: "AUC", color: 0, hasDots: true, points: validations(\.auc)),
                Measure(name: "GAUC", color: 1, isDashed: true, hasDots: true, points: validations(\.gauc))),
            chart(
                "Validation log loss",
                Measure(name: "log loss", color: 3, hasDots: true, points: validations(\.logLoss))),
        ]
    }

    private var byTime: [Chart] {
        func chart(_ title: String, _ label: @escaping (Double) -> String, _ measures: Measure...) -> Chart {
            self.chart(title, unit.name, fromZero: true, label: label, measures)
        }
        let charts = [
            chart(
                "Samples a second", Quantity.rate,
                Measure(name: "samples/s", color: 0, points: times(\.samplesPerSecond))),
            chart(
                "Rows stored", Quantity.number,
                Measure(name: "rows", color: 2, points: times { $0.rows.map(Double.init) })),
            chart(
                "Traffic of all shards, a second", Quantity.bytes,
                Measure(name: "received", color: 0, points: times(\.receivedBytesPerSecond)),
                Measure(name: "sent", color: 1, isDashed: true, points: times(\.sentBytesPerSecond))),
        ]
        // Four lines of several runs tell nobody anything.
        guard !isComparison else { return charts }
        return charts + [
            chart(
                "Where the workers' time goes", Quantity.percent,
                Measure(name: "compute", color: 0, points: times(\.compute)),
                Measure(name: "wait", color: 4, isDashed: true, points: times(\.wait)),
                Measure(name: "read", color: 5, points: times(\.read)),
                Measure(name: "push", color: 3, isDashed: true, points: times(\.push)))
        ]
    }
}
