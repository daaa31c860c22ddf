import Display
import Foundation
import Telemetry
import Tensors

/// Validation AUC against samples of several runs, as a picture.
package enum Curves {
    /// One validation.
    package struct Point: Sendable, Equatable {
        /// The state that was scored.
        package var step: Int
        /// Samples trained on until then.
        package var samples: Double
        /// Its validation AUC.
        package var auc: Double
        /// Half the height of the band around it; 0 for none.
        package var deviation = 0.0
    }

    /// One line of the picture.
    package struct Curve: Sendable {
        /// What the legend says.
        package let name: String
        /// Its points in order.
        package let points: [Point]

        /// Reads the validations in a run's `metrics.jsonl`.
        package init(run: String, split: String = "validation") throws {
            let lines: [Data]
            do {
                lines = try Record.lines(in: run)
            } catch {
                throw Complaint("\(error): name run directories")
            }
            name = (run as NSString).lastPathComponent
            let all = lines.compactMap { line -> Point? in
                guard let found = Record(line)?.evaluation, found.split == split, let auc = found.auc else {
                    return nil
                }
                return Point(step: found.step, samples: Double(found.samples), auc: auc)
            }
            // A run that was continued after a crash says some of them twice.
            points = Dictionary(all.map { ($0.step, $0) }) { $1 }.values.sorted { $0.step < $1.step }
            guard !points.isEmpty else {
                throw Complaint("\(run)/metrics.jsonl holds no validation; train with train.evaluations=4, say")
            }
        }

        /// The mean of several curves with a band of ± their sample standard deviation, at the steps that all of them
        /// have: behind the first early stop a mean would be one of the others only.
        package init(name: String, meanOf curves: [Curve]) {
            self.name = name
            points = (curves.first?.points ?? []).compactMap { first in
                let same = curves.compactMap { $0.points.first { $0.step == first.step } }
                guard same.count == curves.count, let auc = Statistic(same.map(\.auc)),
                    let samples = Statistic(same.map(\.samples))
                else { return nil }
                return Point(step: first.step, samples: samples.mean, auc: auc.mean, deviation: auc.sd ?? 0)
            }
        }
    }

    /// Where values lie in the picture.
    private struct Frame {
        let most: Double
        let low: Double
        let high: Double

        init(_ points: [Point]) {
            most = max(1, points.map(\.samples).max() ?? 1)
            low = ((points.map { $0.auc - $0.deviation }.min() ?? 0) * 100).rounded(.down) / 100
            high = ((points.map { $0.auc + $0.deviation }.max() ?? 1) * 100).rounded(.up) / 100
        }

        func x(_ samples: Double) -> String { String(format: "%.1f", 60 + 520 * samples / most) }
        func y(_ auc: Double) -> String { String(format: "%.1f", 320 - 280 * (auc - low) / max(1e-9, high - low)) }
    }

    /// An SVG of the curves.
    package static func draw(_ curves: [Curve]) -> String {
        let frame = Frame(curves.flatMap(\.points))
        let width = max(800, 640 + 8 * (curves.map(\.name.count).max() ?? 0))
        let height = max(370, 70 + 20 * curves.count)
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
                + "font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"\(width)\" height=\"\(height)\" fill=\"white\"/>",
            "<text x=\"60\" y=\"24\" font-size=\"14\">validation AUC by samples trained on</text>",
        ]
        for step in 0...4 {
            let value = frame.low + (frame.high - frame.low) * Double(step) / 4
            let y = frame.y(value)
            parts.append("<line x1=\"60\" x2=\"580\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"#ddd\"/>")
            parts.append("<text x=\"12\" y=\"\(y)\" dy=\"4\">\(String(format: "%.4f", value))</text>")
            let samples = frame.most * Double(step) / 4
            let label = frame.most < 10_000 ? "\(Int(bounded: samples))" : "\(Int(bounded: samples / 1000)) k"
            parts.append("<text x=\"\(frame.x(samples))\" y=\"340\" text-anchor=\"middle\">\(label)</text>")
        }
        // Bands first: no line lies under another one's band.
        for (number, curve) in curves.enumerated() { parts += band(of: curve, number, frame) }
        for (number, curve) in curves.enumerated() { parts += line(of: curve, number, frame) }
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private static func band(of curve: Curve, _ number: Int, _ frame: Frame) -> [String] {
        guard curve.points.contains(where: { $0.deviation > 0 }) else { return [] }
        let upper = curve.points.map { "\(frame.x($0.samples)),\(frame.y($0.auc + $0.deviation))" }
        let lower = curve.points.reversed().map { "\(frame.x($0.samples)),\(frame.y($0.auc - $0.deviation))" }
        let color = Palette.colors[number % Palette.colors.count]
        // Its edge is what is seen of a band with one point.
        return [
            "<polygon points=\"\((upper + lower).joined(separator: " "))\" fill=\"\(color)\" fill-opacity=\"0.2\" "
                + "stroke=\"\(color)\" stroke-opacity=\"0.4\"/>"
        ]
    }

    private static func line(of curve: Curve, _ number: Int, _ frame: Frame) -> [String] {
        let color = Palette.colors[number % Palette.colors.count]
        let dashes = ["", " stroke-dasharray=\"7 3\"", " stroke-dasharray=\"2 3\""][number / Palette.colors.count % 3]
        let points = curve.points.map { "\(frame.x($0.samples)),\(frame.y($0.auc))" }.joined(separator: " ")
        let y = 50 + 20 * number
        var parts = [
            "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"\(dashes)/>",
            "<line x1=\"595\" x2=\"615\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"\(color)\" stroke-width=\"3\"\(dashes)/>",
            "<text x=\"622\" y=\"\(y + 4)\">\(Markup.escape(curve.name))</text>",
        ]
        if curve.points.count == 1, let only = curve.points.first {
            parts.append(
                "<circle cx=\"\(frame.x(only.samples))\" cy=\"\(frame.y(only.auc))\" r=\"3\" fill=\"\(color)\"/>")
        }
        return parts
    }
}
