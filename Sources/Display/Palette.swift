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

    /// Of a state or of what happened, by its word.
    package init(of word: String) {
        self =
            switch word {
            case "running", "finished", "best": .good
            case "restarted", "evaluated", "checkpoint": .accent
            case "waiting", "warning", "stopped": .warning
            case "failed", "lost": .bad
            case "done": .dim
            default: .plain
            }
    }
}
