import Foundation

/// Validation AUC against samples of several runs, as a picture.
package enum Curves {
    /// The runs cannot be drawn.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// One run's points.
    package struct Curve: Sendable {
        /// The run's name.
        package let name: String
        /// (samples, validation AUC) in order.
        package let points: [(samples: Double, auc: Double)]

        /// Reads a run's `metrics.jsonl`.
        package init(run: String) throws {
            struct Line: Decodable {
                let event: String
                let split: String?
                let samples: Double?
                let auc: Double?
            }
            guard let text = try? String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8) else {
                throw Failure(description: "\(run)/metrics.jsonl cannot be read: name run directories")
            }
            name = (run as NSString).lastPathComponent
            points = text.split(separator: "\n").compactMap { line in
                guard let record = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)),
                    record.event == "evaluated",
                    record.split == "validation", let samples = record.samples, let auc = record.auc
                else { return nil }
                return (samples, auc)
            }
            guard !points.isEmpty else {
                throw Failure(
                    description: "\(run)/metrics.jsonl holds no validation; train with train.evaluations=4, say")
            }
        }
    }

    private static let colors = [
        "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f",
    ]

    /// An SVG of the curves.
    package static func draw(_ curves: [Curve]) -> String {
        let all = curves.flatMap(\.points)
        let most = all.map(\.samples).max() ?? 1
        let low = ((all.map(\.auc).min() ?? 0) * 100).rounded(.down) / 100
        let high = ((all.map(\.auc).max() ?? 1) * 100).rounded(.up) / 100
        func x(_ samples: Double) -> Int { Int(60 + 520 * samples / most) }
        func y(_ auc: Double) -> Int { Int(320 - 280 * (auc - low) / max(1e-9, high - low)) }
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"370\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"800\" height=\"370\" fill=\"white\"/>",
            "<text x=\"60\" y=\"24\" font-size=\"14\">validation AUC by samples trained on</text>",
        ]
        for step in 0...4 {
            let value = low + (high - low) * Double(step) / 4
            parts.append("<line x1=\"60\" x2=\"580\" y1=\"\(y(value))\" y2=\"\(y(value))\" stroke=\"#ddd\"/>")
            parts.append("<text x=\"12\" y=\"\(y(value) + 4)\">\(String(format: "%.4f", value))</text>")
            let samples = most * Double(step) / 4
            parts.append("<text x=\"\(x(samples) - 20)\" y=\"340\">\(Int(samples / 1000)) k</text>")
        }
        for (number, curve) in curves.enumerated() {
            let color = colors[number % colors.count]
            let line = curve.points.map { "\(x($0.samples)),\(y($0.auc))" }.joined(separator: " ")
            parts.append("<polyline points=\"\(line)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>")
            parts.append(
                "<line x1=\"595\" x2=\"615\" y1=\"\(50 + 20 * number)\" y2=\"\(50 + 20 * number)\" stroke=\"\(color)\" stroke-width=\"3\"/>"
            )
            parts.append("<text x=\"622\" y=\"\(54 + 20 * number)\">\(curve.name)</text>")
        }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }
}
