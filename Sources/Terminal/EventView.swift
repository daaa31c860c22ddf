package import Telemetry

/// What happened, newest last.
package enum EventView {
    /// The last events.
    package static func lines(_ events: [EventStatus], count: Int, width: Int) -> [Line] {
        events.suffix(count).map { event in
            var line = Line("\(Quantity.clock(event.time))  ", .dim)
            line.add(event.kind.rawValue, style(of: event.kind))
            line.pad(to: 22)
            line.add("step \(Quantity.exact(event.step))  ", .dim)
            // One line an event: the failure has a report of its own.
            let text = event.text.split(separator: "\n").first.map(String.init) ?? ""
            // The step stands there already.
            line.add(text.replacing(" after step \(event.step):", with: ":"))
            return line.clipped(to: width)
        }
    }

    private static func style(of kind: EventStatus.Kind) -> Style {
        switch kind {
        case .failed, .lost: .bad
        case .warning, .waiting, .restarted, .stopped: .warning
        case .evaluated, .checkpoint: .accent
        case .finished: .good
        case .joined, .started: .plain
        }
    }
}
