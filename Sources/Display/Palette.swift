package import Telemetry

/// Colors that people of every color vision can tell apart.
package enum Palette {
    /// Okabe and Ito's; the pale yellow last.
    package static let colors = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
    ]

    /// The same on a dark ground: the blue lighter, black turned to white.
    package static let dark = [
        "#3D9BDC", "#E8743B", "#1DB88C", "#D98CB8", "#E69F00", "#7CC7F2", "#E8E8E8", "#F0E442",
    ]
}

/// How a value stands out where there are colors; it never says more than its text.
package enum Tone: Sendable, Equatable, CaseIterable {
    case plain, bold, dim, good, warning, bad, accent, bar

    /// A process's state.
    package init(_ state: NodeStatus.State) {
        self =
            switch state {
            case .waiting: .warning
            case .running: .good
            case .restarted: .accent
            case .lost: .bad
            case .done: .dim
            }
    }

    /// A job's state.
    package init(_ state: JobStatus.State) {
        self =
            switch state {
            case .waiting, .stopped: .warning
            case .running: .good
            case .failed: .bad
            case .finished: .accent
            }
    }

    /// What happened.
    package init(_ kind: EventStatus.Kind) {
        self =
            switch kind {
            case .failed, .lost: .bad
            case .warning, .waiting, .restarted, .stopped: .warning
            case .evaluated, .checkpoint: .accent
            case .finished: .good
            case .joined, .started: .plain
            }
    }
}
