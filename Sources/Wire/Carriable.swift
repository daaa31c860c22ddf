import Foundation

/// Whether a text of this machine, a path or a name, can be told to other nodes: what cannot is refused before a job begins.
package enum Carriable {
    /// What is wrong with a text, for behind its name; nil if nothing is.
    package static func problem(_ text: String) -> String? {
        // Beyond what the wire bounds, a path or a name has one line: people read it, and commands repeat it.
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "has a control character, which no message may hold"
        }
        let frame = JSONFrame.encode(["": text])
        let isRefused = withExtendedLifetime(frame) { unsafe TextBounds.fault(in: frame.bytes) != nil }
        guard isRefused else { return nil }
        return "has \(text.utf8.count) bytes, more than the \(TextBounds.longest) that a message may hold of it"
    }

    /// How such a text is shown: in quotes, without characters that a terminal obeys, its beginning only.
    package static func shown(_ text: String) -> String {
        let beginning = String(text.prefix(80))
        return beginning.debugDescription + (beginning == text ? "" : "…")
    }
}
