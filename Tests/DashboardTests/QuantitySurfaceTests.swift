import Foundation
import Telemetry
import Testing

@testable import Display

/// A value as the API carries it.
private struct Measured: Codable, Sendable {
    var whole = 0
    var real = 0.0
}

/// Every quantity, at its bounds and between them, over every surface.
@Suite("One text for a number")
struct QuantitySurfaceTests {
    private static let wholes: [Int] = [
        0, 1, -1, 999, 1000, 1023, 1024, 99_999, 100_000, 999_499, 999_500, 1 << 20, 1 << 31, 1 << 53, .max, .min,
    ]
    private static let reals: [Double] = [
        0, 1e-9, 0.000_4, 0.0005, 0.087, 0.5, 0.999_49, 0.999_5, 0.999_999, 1, 1.005, 59.4, 59.7, 99.96, 1023.5, 3599.6,
        86_399.9, 1e5, 999_500, 1.79e9, 1e15, -0.25, .greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    ]
    private static let ofWholes: KeyValuePairs<String, @Sendable (Int) -> String> = [
        "count": Quantity.count, "signed": Quantity.signed, "exact": Quantity.exact, "bytes": Quantity.bytes,
    ]
    private static let ofReals: KeyValuePairs<String, @Sendable (Double) -> String> = [
        "rate": Quantity.rate, "number": Quantity.number, "bytes": Quantity.bytes, "megabytes": Quantity.megabytes,
        "percent": Quantity.percent, "milliseconds": Quantity.milliseconds, "duration": Quantity.duration,
        "age": Quantity.age, "metric": Quantity.metric, "ratio": Quantity.ratio, "clock": Quantity.clock,
        "date": Quantity.date,
    ]

    /// What stands in the one cell of a row on each surface.
    private func texts(_ column: Column<Measured>, _ value: Measured) throws -> [String: String] {
        let read = try TelemetryJSON.decode(Measured.self, from: TelemetryJSON.encode(value))
        let status = ClusterStatus()
        func html(_ medium: Sheet.Medium) throws -> String {
            let table = Sheet(medium, status).table("id", "label", [column], [value]).text
            let cell = try #require(table.firstMatch(of: /<th scope="row"[^>]*>([^<]*)<\/th>/))
            return String(cell.1)
        }
        let line = TextTable([column], [value]).lines(width: 500)[1]
        return [
            "terminal": Markup.escape(line.text.trimmingCharacters(in: .whitespaces)), "page": try html(.page),
            "report": try html(.report), "API": Markup.escape(column.cell(read, Context(status)).text),
        ]
    }

    private func compare(_ quantity: String, _ value: Measured, _ text: @escaping @Sendable (Measured) -> String) throws
    {
        let column = Column<Measured>("Value", 100) { row, _ in Cell(text(row)) }
        let expected = Markup.escape(text(value))
        #expect(!expected.isEmpty)
        for (surface, shown) in try texts(column, value) {
            #expect(shown == expected, "\(quantity) of \(value) on \(surface)")
        }
    }

    @Test("terminal, page, report and API's reader have the same text for each quantity and value")
    func quantities() throws {
        for (name, text) in Self.ofWholes {
            for whole in Self.wholes { try compare(name, Measured(whole: whole)) { text($0.whole) } }
        }
        for (name, text) in Self.ofReals {
            for real in Self.reals { try compare(name, Measured(real: real)) { text($0.real) } }
        }
    }

    @Test("no quantity of the program is left out")
    func all() throws {
        let source = URL(filePath: Tool.directory).appending(path: "../../Sources/Display/Quantity.swift")
        let named = try String(contentsOf: source, encoding: .utf8)
            .matches(of: /\n    package static func (\w+)\(_/).map { String($0.1) }
        let compared = Self.ofWholes.map(\.key) + Self.ofReals.map(\.key)
        #expect(Set(named).subtracting(["fixed"]) == Set(compared))
    }
}
