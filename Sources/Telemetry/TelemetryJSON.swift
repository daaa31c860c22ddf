package import Foundation

/// JSON as people and scripts see it, and as Myriad's own files and messages have it: sorted keys, snake_case unless told, no
/// number that is not finite.
package enum TelemetryJSON {
    /// The bytes of a value; `pretty` puts each member on a line of its own.
    package static func encode(_ value: some Encodable, pretty: Bool = false, isSnakeCase: Bool = true) throws -> Data {
        let encoder = JSONEncoder()
        if isSnakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(value)
    }

    /// The value of bytes.
    package static func decode<T: Decodable>(_ type: T.Type, from data: Data, isSnakeCase: Bool = true) throws -> T {
        let decoder = JSONDecoder()
        if isSnakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: data)
    }

    /// Where bytes are no such value, and why: "shards.0.report.pulls: …".
    package static func problem(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (context, key): (DecodingError.Context, (any CodingKey)?) =
            switch error {
            case .keyNotFound(let key, let context): (context, key)
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context, nil)
            @unknown default: (.init(codingPath: [], debugDescription: "\(error)"), nil)
            }
        let path = (context.codingPath + [key].compactMap(\.self)).map { key in
            // As the file has it.
            key.intValue.map(String.init)
                ?? key.stringValue.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
        }
        let what = key == nil ? context.debugDescription : "is missing"
        return path.isEmpty
            ? what + " It may hold a number that does not fit its field." : "\(path.joined(separator: ".")): \(what)"
    }
}
