/// A setting that is one of a few words; any other word is answered with all of them.
public protocol Choice: RawRepresentable, Codable, CaseIterable, Sendable where RawValue == String {}

extension Choice {
    /// The case of a word; throws `DecodingError.dataCorrupted` with all words.
    public init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        guard let choice = Self(rawValue: word) else {
            let words = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "expected one of \(words)"))
        }
        self = choice
    }
}
