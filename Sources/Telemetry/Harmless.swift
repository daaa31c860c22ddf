extension String {
    /// The text with everything that could steer a terminal replaced by something visible: ESC becomes `␛`.
    package var harmless: String { harmless(keepsLines: false) }

    /// The same, with its line ends if wanted.
    package func harmless(keepsLines: Bool) -> String {
        func replacement(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
            keepsLines && scalar == "\n" ? nil : scalar.visible
        }
        guard unicodeScalars.contains(where: { replacement(of: $0) != nil }) else { return self }
        var safe = String.UnicodeScalarView()
        for scalar in unicodeScalars { safe.append(replacement(of: scalar) ?? scalar) }
        return String(safe)
    }
}

extension Unicode.Scalar {
    /// What is shown instead of a character that steers, hides or reorders; nil for all others.
    package var visible: Unicode.Scalar? {
        switch value {
        case 9: return " "
        case 0..<32: return Unicode.Scalar(0x2400 + value)
        case 32..<127: return nil
        case 127: return "␡"
        default: break
        }
        switch properties.generalCategory {
        // Format characters reorder or hide what stands beside them.
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
            return "\u{fffd}"
        default: return nil
        }
    }
}
