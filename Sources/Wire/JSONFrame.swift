import FoundationEssentials

/// JSON as the text frames of control messages use it: numbers that are not finite are strings, keys are sorted.
enum JSONFrame {
    /// The frame of a value of this module; they all encode.
    static func encode<T: Encodable>(_ value: T) -> Payload {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("\(T.self) has a property that JSON cannot hold")
        }
        return Payload(copying: Array(data))
    }

    /// The value of a frame.
    static func decode<T: Decodable>(
        _ type: T.Type, _ payload: Payload, kind: MessageKind, limits: Limits
    ) throws(WireError) -> T {
        try check(kind, "bytes of text", payload.count, limit: limits.controlBytes)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: unsafe Data(payload.bytes))
        } catch {
            throw .body(kind, detail: String("\(error)".prefix(300)))
        }
    }
}
