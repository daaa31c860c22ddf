package import Foundation
import Job
import Telemetry

/// A mean over runs, and how much they differ.
package struct Statistic: Codable, Sendable, Equatable {
    package let mean: Double
    /// The sample standard deviation; nil for a single value.
    package let sd: Double?

    /// The statistic of some values; nil when there are none, or one of them is missing.
    package init?(_ values: [Double?]) {
        let present = values.compactMap(\.self)
        guard !present.isEmpty, present.count == values.count else { return nil }
        let mean = present.reduce(0, +) / Double(present.count)
        self.mean = mean
        let squares = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        sd = present.count > 1 ? (squares / Double(present.count - 1)).squareRoot() : nil
    }

    /// Mean ± deviation with so many digits behind the point.
    package func text(digits: Int) -> String {
        let format = "%.\(digits)f"
        return String(format: format, mean) + (sd.map { " ± " + String(format: format, $0) } ?? "")
    }
}

/// What a comparison found, for people and for programs.
extension Comparison {
    /// The models of which at least one run is finished.
    private var summaries: [(model: Model, runs: [Run], figures: Figures<Statistic>)] {
        models.compactMap { model in
            let done = done(model)
            func mean(_ figure: (Figures<Double>) -> Double?) -> Statistic? {
                Statistic(done.map { $0.figures.flatMap(figure) })
            }
            let figures = Figures(
                auc: mean(\.auc), gauc: mean(\.gauc), logLoss: mean(\.logLoss),
                samplesPerSecond: mean(\.samplesPerSecond))
            return done.isEmpty ? nil : (model, done, figures)
        }
    }

    /// The table in Markdown, aligned for the eye, with what its figures mean in the lines below.
    package func table() -> String {
        var rows = [["model", "AUC", "GAUC", "log loss", "samples/s", "parameters"]]
        for summary in summaries {
            let (model, found) = (summary.model, summary.figures)
            rows.append(
                [model.name.replacingOccurrences(of: "|", with: "\\|")]
                    + [found.auc, found.gauc, found.logLoss].map { $0?.text(digits: 4) ?? "-" }
                    + [found.samplesPerSecond?.text(digits: 0) ?? "-", String(model.parameters)])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }
            return "| " + cells.joined(separator: " | ") + " |"
        }
        let rules = widths.enumerated().map { String(repeating: "-", count: $1 + 1) + ($0 == 0 ? "-" : ":") }
        lines.insert("|" + rules.joined(separator: "|") + "|", at: 1)
        return (lines + [""] + notes).joined(separator: "\n") + "\n"
    }

    /// What was scored, out of how many seeds, and what is the best possible.
    private var notes: [String] {
        var groups: [(text: String, bayes: String?, names: [String])] = []
        for model in models {
            let state = model.hasValidation ? "best validation state" : "last state"
            let text = "\(model.split) split of \(model.config.data.directory) in the \(state)"
            if let index = groups.firstIndex(where: { $0.text == text }) {
                groups[index].names.append(model.name)
            } else {
                let bayes = model.bayesAUC.map { "Bayes AUC of the \(model.split) split: \(Monitor.digits($0))" }
                groups.append((text, bayes, [model.name]))
            }
        }
        let seedsText = seeds == 1 ? "seed 1" : "mean ± sample standard deviation of seeds 1 to \(seeds)"
        var lines: [String] = []
        for group in groups {
            let names = groups.count > 1 ? group.names.joined(separator: ", ") + ": " : ""
            lines.append("\(names)\(group.text); \(seedsText)")
            if let bayes = group.bayes { lines.append(names + bayes) }
        }
        let missing = models.compactMap { model -> String? in
            let done = done(model).count
            return done < seeds ? "\(model.name) has \(done) of \(seeds) seeds" : nil
        }
        if !missing.isEmpty { lines.append("incomplete: " + missing.joined(separator: ", ")) }
        // Lines of their own in Markdown too.
        return lines.map { $0 + "  " }
    }

    /// The content of `results.json`.
    package func results() throws -> Data {
        let all = runs.compactMap { run in
            run.figures.map {
                Entry(
                    model: run.model.name, run: run.directory, seed: run.seed, auc: $0.auc, gauc: $0.gauc,
                    logLoss: $0.logLoss, samplesPerSecond: $0.samplesPerSecond)
            }
        }
        let aggregated = summaries.map { summary in
            Entry(
                model: summary.model.name, data: summary.model.config.data.directory, split: summary.model.split,
                parameters: summary.model.parameters, seeds: summary.runs.map(\.seed),
                bayesAUC: summary.model.bayesAUC, auc: summary.figures.auc, gauc: summary.figures.gauc,
                logLoss: summary.figures.logLoss, samplesPerSecond: summary.figures.samplesPerSecond)
        }
        let results = Results(complete: isComplete, seeds: seeds, runs: all, models: aggregated)
        return try TelemetryJSON.encode(results, pretty: true) + Data("\n".utf8)
    }

    private struct Results: Encodable {
        let complete: Bool
        let seeds: Int
        let runs: [Entry<Double>]
        let models: [Entry<Statistic>]
    }

    /// A run, or a model over its runs; nil what one of them does not have.
    private struct Entry<Figure: Codable & Sendable & Equatable>: Encodable {
        let model: String
        var run, data, split: String?
        var seed, parameters: Int?
        var seeds: [Int]?
        var bayesAUC: Double?
        let auc, gauc, logLoss, samplesPerSecond: Figure?
    }
}
