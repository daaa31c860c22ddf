import Display
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
            ? "<p class=\"soft\">No progress was recorded.</p>" : "<div class=\"charts\">\(charts)</div>"
    }

    private var isComparison: Bool { runs.count > 1 }

    /// Lines of each run: its own color each in a comparison, the measure's color otherwise.
    private func lines(
        _ name: String, color: Int, isDashed: Bool = false, hasDots: Bool = false,
        _ points: (RecordedRun) -> [Chart.Point]
    ) -> [Chart.Line] {
        runs.enumerated().map { number, run in
            Chart.Line(
                name: isComparison ? (name.isEmpty ? run.name : "\(run.name) \(name)") : name, points: points(run),
                color: isComparison ? number % Palette.colors.count : color,
                isDashed: isComparison ? isDashed != (number / Palette.colors.count % 2 == 1) : isDashed,
                hasDots: hasDots)
        }
    }

    private func steps(_ value: @escaping (RecordedRun.Point) -> Double?) -> (RecordedRun) -> [Chart.Point] {
        { run in run.points.compactMap { point in value(point).map { Chart.Point(x: Double(point.step), y: $0) } } }
    }

    private func times(_ value: @escaping (RecordedRun.Point) -> Double?) -> (RecordedRun) -> [Chart.Point] {
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
        let hasAuxiliary = runs.contains { run in run.points.contains { ($0.auxiliaryLoss ?? 0) != 0 } }
        var charts = [
            Chart(
                title: "Loss a sample", axis: "step", lines: lines(isComparison ? "" : "loss", color: 0, steps(\.loss)))
        ]
        if hasAuxiliary {
            charts.append(
                Chart(
                    title: "Auxiliary loss a sample", axis: "step",
                    lines: lines(isComparison ? "" : "auxiliary loss", color: 1, steps(\.auxiliaryLoss))))
        }
        charts.append(
            Chart(
                title: "Running AUC, before each update", axis: "step",
                lines: lines(isComparison ? "" : "AUC", color: 2, steps(\.auc))))
        charts.append(
            Chart(
                title: "Validation AUC and GAUC", axis: "step",
                lines: lines("AUC", color: 0, hasDots: true, validations(\.auc))
                    + lines("GAUC", color: 1, isDashed: true, hasDots: true, validations(\.gauc))))
        charts.append(
            Chart(
                title: "Validation log loss", axis: "step",
                lines: lines(isComparison ? "" : "log loss", color: 3, hasDots: true, validations(\.logLoss))))
        for index in charts.indices { charts[index].label = { Quantity.fixed($0, 4) } }
        return charts
    }

    private var byTime: [Chart] {
        var charts = [
            Chart(
                title: "Samples a second", axis: unit.name,
                lines: lines(isComparison ? "" : "samples/s", color: 0, times(\.samplesPerSecond)), fromZero: true),
            Chart(
                title: "Rows stored", axis: unit.name,
                lines: lines(isComparison ? "" : "rows", color: 2, times { $0.rows.map(Double.init) }),
                fromZero: true),
            Chart(
                title: "Traffic of all shards, a second", axis: unit.name,
                lines: lines("received", color: 0, times(\.receivedBytesPerSecond))
                    + lines("sent", color: 1, isDashed: true, times(\.sentBytesPerSecond)),
                fromZero: true, label: { Quantity.bytes($0) }),
        ]
        // Four lines of several runs tell nobody anything.
        guard !isComparison else { return charts }
        charts.append(
            Chart(
                title: "Where the workers' time goes", axis: unit.name,
                lines: lines("compute", color: 0, times(\.compute))
                    + lines("wait", color: 4, isDashed: true, times(\.wait))
                    + lines("read", color: 5, times(\.read)) + lines("push", color: 3, isDashed: true, times(\.push)),
                fromZero: true, label: { Quantity.percent($0) }))
        return charts
    }
}
