package import Foundation
import Job

/// A mean over runs, and how much they differ.
package struct Statistic: Codable, Sendable, Equatable {
    /// The mean.
    package let mean: Double
    /// The sample standard deviation; nil for a single value.
    package let deviation: Double?

    package enum CodingKeys: String, CodingKey {
        case mean
        case deviation = "sd"
    }

    /// The statistic of some values; nil when there are none, or one of them is missing.
    package init?(_ values: [Double?]) {
        let present = values.compactMap(\.self)
        guard !present.isEmpty, present.count == values.count else { return nil }
        let mean = present.reduce(0, +) / Double(present.count)
        self.mean = mean
        let squares = present.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = present.count > 1 ? (squares / Double(present.count - 1)).squareRoot() : nil
    }

    /// Mean ± deviation with so many digits behind the point.
    package func text(digits: Int) -> String {
        let format = "%.\(digits)f"
        return String(format: format, mean) + (deviation.map { " ± " + String(format: format, $0) } ?? "")
    }
}

/// What a comparison found, for people and for programs.
extension Comparison {
    private typealias Summary = (
        model: Model, runs: [Run], auc: Statistic?, gauc: Statistic?, logLoss: Statistic?, speed: Statistic?
    )

    /// The models of which at least one run is finished.
    private var summaries: [Summary] {
        models.enumerated().compactMap { number, model in
            let done = runs.filter { $0.model == number && $0.figures != nil }
            guard !done.isEmpty else { return nil }
            return (
                model, done, Statistic(done.map { $0.figures?.auc }), Statistic(done.map { $0.figures?.gauc }),
                Statistic(done.map { $0.figures?.logLoss }), Statistic(done.map { $0.figures?.samplesPerSecond })
            )
        }
    }

    /// The table in Markdown, aligned for the eye, with what its figures mean in the lines below.
    package func table() -> String {
        var rows = [["model", "AUC", "GAUC", "log loss", "samples/s", "parameters"]]
        for summary in summaries {
            rows.append([
                summary.model.name.replacingOccurrences(of: "|", with: "\\|"), summary.auc?.text(digits: 4) ?? "-",
                summary.gauc?.text(digits: 4) ?? "-", summary.logLoss?.text(digits: 4) ?? "-",
                summary.speed?.text(digits: 0) ?? "-", String(summary.model.parameters),
            ])
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
        let missing = models.enumerated().compactMap { number, model -> String? in
            let done = runs.count { $0.model == number && $0.figures != nil }
            return done < seeds ? "\(model.name) has \(done) of \(seeds) seeds" : nil
        }
        if !missing.isEmpty { lines.append("incomplete: " + missing.joined(separator: ", ")) }
        // Lines of their own in Markdown too.
        return lines.map { $0 + "  " }
    }

    /// The content of `results.json`.
    package func results() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let all = runs.compactMap { run in
            run.figures.map { figures in
                RunResult(
                    model: models[run.model].name, seed: run.seed, run: run.directory, auc: figures.auc,
                    gauc: figures.gauc, logLoss: figures.logLoss, samplesPerSecond: figures.samplesPerSecond)
            }
        }
        let aggregated = summaries.map { summary in
            ModelResult(
                model: summary.model.name, data: summary.model.config.data.directory, split: summary.model.split,
                seeds: summary.runs.map(\.seed), auc: summary.auc, gauc: summary.gauc, logLoss: summary.logLoss,
                samplesPerSecond: summary.speed, parameters: summary.model.parameters,
                bayesAUC: summary.model.bayesAUC)
        }
        return try encoder.encode(Results(isComplete: isComplete, seeds: seeds, runs: all, models: aggregated))
            + Data("\n".utf8)
    }

    private struct Results: Encodable {
        let isComplete: Bool
        let seeds: Int
        let runs: [RunResult]
        let models: [ModelResult]

        enum CodingKeys: String, CodingKey {
            case seeds, runs, models
            case isComplete = "complete"
        }
    }

    private struct RunResult: Encodable {
        let model: String
        let seed: Int
        let run: String
        let auc: Double?
        let gauc: Double?
        let logLoss: Double?
        let samplesPerSecond: Double?

        enum CodingKeys: String, CodingKey {
            case model, seed, run, auc, gauc
            case logLoss = "log_loss"
            case samplesPerSecond = "samples_per_second"
        }
    }

    private struct ModelResult: Encodable {
        let model: String
        let data: String
        let split: String
        let seeds: [Int]
        let auc: Statistic?
        let gauc: Statistic?
        let logLoss: Statistic?
        let samplesPerSecond: Statistic?
        let parameters: Int
        let bayesAUC: Double?

        enum CodingKeys: String, CodingKey {
            case model, data, split, seeds, auc, gauc, parameters
            case logLoss = "log_loss"
            case samplesPerSecond = "samples_per_second"
            case bayesAUC = "bayes_auc"
        }
    }
}
