import Telemetry

/// A curve in one line of text.
package enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// The newest value at the right end; each column is the mean of its values.
    ///
    /// - Parameter fromZero: the lowest bar is 0 rather than the smallest value.
    package static func text(_ values: [Double?], width: Int, fromZero: Bool) -> String {
        guard width > 0, !values.isEmpty else { return "" }
        let columns = Swift.min(width, values.count)
        let means = (0..<columns).map { column -> Double? in
            let part = values[values.count * column / columns..<values.count * (column + 1) / columns]
            let known = part.compactMap { $0 }.filter(\.isFinite)
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        }
        let known = means.compactMap { $0 }
        guard let largest = known.max(), let smallest = known.min() else { return "" }
        let low = fromZero ? Swift.min(0, smallest) : smallest
        let span = largest - low
        return String(
            means.map { mean in
                guard let mean else { return " " }
                // A curve that is flat stands at half its height.
                let place = span > 0 ? (mean - low) / span : 0.5
                return bars[Swift.min(bars.count - 1, Swift.max(0, Int(bounded: place * Double(bars.count))))]
            })
    }
}
