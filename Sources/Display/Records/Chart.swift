import Foundation
import Telemetry

/// Lines over numbers, as SVG: drawn for a column of some 440 pixels, it scales with its column.
struct Chart {
    /// One line.
    struct Line {
        /// What the legend says; empty for none.
        var name = ""
        /// Ascending in x; what is not finite is left out.
        var points: [Point]
        /// Its place in the palette.
        var color = 0
        var isDashed = false
        /// Whether each point is a measurement of its own: a dot each.
        var hasDots = false
    }

    /// One value.
    struct Point: Equatable {
        var x: Double
        var y: Double

        /// Between two values that no line connects.
        static let gap = Point(x: .nan, y: .nan)
        var isGap: Bool { x.isNaN }
    }

    let title: String
    /// What x is.
    let axis: String
    var lines: [Line]
    /// Whether y begins at 0.
    var fromZero = false
    /// A value of y in words.
    var label: (Double) -> String = { Quantity.number($0) }

    /// Edges of the picture of 440 by 236.
    private static let left = 58.0
    private static let right = 428.0
    private static let top = 12.0
    private static let bottom = 196.0
    /// More points than this do not show at this size.
    private static let most = 360

    /// Nothing when there is nothing to draw.
    var markup: Markup {
        let drawn = lines.map { line in
            var thin = line
            thin.points = Self.thin(line.points.filter { $0.isGap || ($0.x.isFinite && $0.y.isFinite) })
            return thin
        }.filter { !$0.points.isEmpty }
        let points = drawn.flatMap(\.points).filter { !$0.isGap }
        guard let first = points.first else { return "" }
        let xs = points.reduce((first.x, first.x)) { (min($0.0, $1.x), max($0.1, $1.x)) }
        let ys = points.reduce((fromZero ? 0 : first.y, first.y)) { (min($0.0, $1.y), max($0.1, $1.y)) }
        let x = Scale(xs.0, xs.1, from: Self.left, to: Self.right, isTight: true)
        let y = Scale(ys.0, ys.1, from: Self.bottom, to: Self.top)
        let last = drawn.compactMap { line in line.points.last.map { "\(line.name) \(label($0.y))" } }
        return """
            <figure class="chart"><figcaption>\(title)</figcaption>
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 236" role="img" \
            aria-label="\(title) by \(axis); at the end \(last.joined(separator: ", "))">
            \(grid(x, y))
            \(drawn.map { path(of: $0, x, y) })
            </svg>\(legend(drawn))</figure>
            """
    }

    private func grid(_ x: Scale, _ y: Scale) -> Markup {
        let digits = y.digits
        let lines =
            y.ticks.map { value -> Markup in
                let place = y.place(value)
                // Ticks closer than what a label shows would be equal in words.
                let text = digits > 2 && abs(value) < 10 ? Quantity.fixed(value, min(6, digits)) : label(value)
                return """
                    <line class="grid" x1="\(Self.left)" x2="\(Self.right)" y1="\(place)" y2="\(place)"/>\
                    <text class="tick" x="\(Self.left - 6)" y="\(place + 4)" text-anchor="end">\(text)</text>
                    """
            }
            + x.ticks.map { value -> Markup in
                """
                <line class="axis" x1="\(x.place(value))" x2="\(x.place(value))" y1="\(Self.bottom)" \
                y2="\(Self.bottom + 4)"/><text class="tick" x="\(x.place(value))" y="\(Self.bottom + 17)" \
                text-anchor="middle">\(Quantity.number(value))</text>
                """
            } + [
                """
                <line class="axis" x1="\(Self.left)" x2="\(Self.right)" y1="\(Self.bottom)" y2="\(Self.bottom)"/>\
                <text class="tick" x="\(Self.right)" y="\(Self.bottom + 34)" text-anchor="end">\(axis)</text>
                """
            ] as [Markup]
        return "\(lines)"
    }

    private func path(of line: Line, _ x: Scale, _ y: Scale) -> Markup {
        let dashes: Markup = line.isDashed ? " stroke-dasharray=\"6 3\"" : ""
        var parts: [Markup] = line.points.split(whereSeparator: \.isGap).map { part in
            let places = part.map { "\(Quantity.fixed(x.place($0.x), 1)),\(Quantity.fixed(y.place($0.y), 1))" }
            return """
                <polyline class="line" points="\(places.joined(separator: " "))" style="stroke:var(--c\(line.color))"\
                \(dashes)/>
                """
        }
        if line.hasDots || line.points.count == 1 {
            parts += line.points.filter { !$0.isGap }.map {
                """
                <circle cx="\(x.place($0.x))" cy="\(y.place($0.y))" r="3" style="fill:var(--c\(line.color))">\
                <title>\(line.name) \(axis) \(Quantity.number($0.x)): \(label($0.y))</title></circle>
                """
            }
        }
        return "\(parts)"
    }

    private func legend(_ drawn: [Line]) -> Markup {
        guard drawn.contains(where: { !$0.name.isEmpty }) else { return "" }
        return """
            <ul class="legend">\(drawn.map { line -> Markup in
                let border: Markup = line.isDashed ? "dashed" : "solid"
                return """
                    <li><span class="stroke" style="border-top:3px \(border) var(--c\(line.color))"></span>\(line.name)\
                     <b>\(line.points.last.map { label($0.y) } ?? "")</b></li>
                    """
            })</ul>
            """
    }

    /// Means of neighbors where there are more points than pixels; gaps stay.
    static func thin(_ points: [Point]) -> [Point] {
        guard points.count > most else { return points }
        let parts = points.split(whereSeparator: \.isGap).map { part in
            thin(Array(part), to: max(1, most * part.count / points.count))
        }
        return Array(parts.joined(separator: [.gap]))
    }

    private static func thin(_ points: [Point], to count: Int) -> [Point] {
        guard points.count > count else { return points }
        return (0..<count).map { part in
            let range = part * points.count / count..<(part + 1) * points.count / count
            let sum = points[range].reduce(Point(x: 0, y: 0)) { Point(x: $0.x + $1.x, y: $0.y + $1.y) }
            return Point(x: sum.x / Double(range.count), y: sum.y / Double(range.count))
        }
    }
}

/// Values to places along an axis, with ticks at round numbers.
struct Scale {
    let ticks: [Double]
    /// Digits behind the point that tell the ticks apart.
    let digits: Int
    private let low: Double
    private let high: Double
    private let from: Double
    private let to: Double

    /// - Parameter isTight: the axis ends with the values rather than with a tick.
    init(_ least: Double, _ most: Double, from: Double, to: Double, isTight: Bool = false) {
        self.from = from
        self.to = to
        var (least, most) = (least, most)
        // A single value lies in the middle; of one that is huge the neighbors are further away than 1.
        let room = max(abs(least), abs(most)) * 1e-9
        if most - least <= room {
            let half = max(least == 0 ? 0.5 : abs(least) * 0.05, room)
            (least, most) = (least - half, most + half)
        }
        let rough = (most - least) / 4
        let power = pow(10, floor(log10(rough)))
        let step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10)
        let first = isTight ? (least / step).rounded(.up) : (least / step).rounded(.down)
        let last = isTight ? (most / step).rounded(.down) : (most / step).rounded(.up)
        ticks = last >= first && last - first < 20 ? stride(from: first, through: last, by: 1).map { $0 * step } : []
        low = isTight ? least : min(least, ticks.first ?? least)
        high = isTight ? most : max(most, ticks.last ?? most)
        digits = max(0, Int(bounded: -floor(log10(step) + 1e-9)))
    }

    /// Where a value lies.
    func place(_ value: Double) -> Double { from + (to - from) * (value - low) / (high - low) }
}
