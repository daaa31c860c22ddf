/// Reads options that a configuration names in part: what it leaves out keeps its value.
///
/// Unknown keys are found by whoever reads the whole configuration, which knows their lines.
package struct OptionReader<Key: CodingKey> {
    private let values: KeyedDecodingContainer<Key>

    /// Opens an object.
    package init(_ decoder: any Decoder) throws { values = try decoder.container(keyedBy: Key.self) }

    /// Replaces a value if the configuration names it.
    package func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
        if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
    }

    /// Updates nested options if the configuration names them.
    package func update<Options: PartialOptions>(_ key: Key, _ options: inout Options) throws {
        if values.contains(key) { try options.update(from: values.superDecoder(forKey: key)) }
    }
}

/// Options that can be read over others, such as those of a preset.
package protocol PartialOptions: Codable {
    /// The defaults.
    init()
    /// Replaces what the configuration names.
    mutating func update(from decoder: any Decoder) throws
}

extension PartialOptions {
    /// The defaults, and over them what the configuration names.
    package init(from decoder: any Decoder) throws {
        self.init()
        try update(from: decoder)
    }
}
