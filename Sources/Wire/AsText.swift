/// A number that travels as text: one of all 64 bits, or a float that may be of any size, infinite or NaN.
///
/// All other numbers of control messages are within ±2^53 (`TextBounds`).
@propertyWrapper
package struct AsText<Value: LosslessStringConvertible & Sendable & Equatable>: Codable, Sendable, Equatable {
    package var wrappedValue: Value

    package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        guard let value = Value(try box.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: box, debugDescription: "not a number as text")
        }
        wrappedValue = value
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        try box.encode(wrappedValue.description)
    }
}
