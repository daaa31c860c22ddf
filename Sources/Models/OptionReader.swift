/// Reads options that a configuration names in part: what it leaves out keeps its value, what is unknown is refused.
struct OptionReader<Key: CodingKey & CaseIterable> {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private let values: KeyedDecodingContainer<Key>

    /// Opens an object; throws at the first key that is neither of `Key` nor in `also`.
    init(_ decoder: any Decoder, also: [String] = []) throws {
        let known = Key.allCases.map(\.stringValue) + also
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath + [key],
                    debugDescription:
                        "unknown key '\(key.stringValue)'; known are \(known.sorted().joined(separator: ", "))"))
        }
        values = try decoder.container(keyedBy: Key.self)
    }

    /// Replaces a value if the configuration names it.
    func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
        if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
    }

    /// Updates nested options if the configuration names them.
    func update<Options: PartialOptions>(_ key: Key, _ options: inout Options) throws {
        if values.contains(key) { try options.update(from: values.superDecoder(forKey: key)) }
    }
}

/// Options that can be read over others, such as those of a preset.
protocol PartialOptions: Codable {
    init()
    mutating func update(from decoder: any Decoder) throws
}

extension PartialOptions {
    /// The defaults, and over them what the configuration names.
    package init(from decoder: any Decoder) throws {
        self.init()
        try update(from: decoder)
    }
}
