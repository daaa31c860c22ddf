import Datasets

/// Why a model cannot be built from what the configuration and the schema say.
package enum ModelError: Error, CustomStringConvertible, Equatable {
    /// An option has a value that makes no sense.
    case option(String, found: String, expected: String)
    /// The options ask for what the schema does not have.
    case schema(String)
    /// There is no such preset.
    case preset(String)

    /// The key of the configuration that it is about.
    package var key: String {
        switch self {
        case .option(let key, _, _): "model." + key
        case .schema: "model"
        case .preset: "model.preset"
        }
    }

    package var description: String {
        switch self {
        case .option(let key, let found, let expected): "model.\(key) is \(clipped(found)), expected \(expected)"
        case .schema(let text): text
        case .preset(let name):
            "there is no preset \(shown(name)); choose one of \(ModelOptions.presetNames.joined(separator: ", "))"
        }
    }
}

/// Throws unless an option's value is as expected.
func check(
    _ isGood: Bool, _ key: String, _ found: some CustomStringConvertible, _ expected: String
) throws(ModelError) {
    guard isGood else { throw .option(key, found: found.description, expected: expected) }
}

/// Throws unless these are widths of hidden layers, as many as allowed.
func checkHidden(_ widths: [Int], _ key: String, layers: ClosedRange<Int>) throws(ModelError) {
    try check(widths.allSatisfy { (1...65536).contains($0) }, key, widths, "widths of 1 to 65536")
    let count = layers.lowerBound > 0 ? "\(layers.lowerBound) to \(layers.upperBound)" : "at most \(layers.upperBound)"
    try check(layers.contains(widths.count), key, widths, count + " layers")
}
