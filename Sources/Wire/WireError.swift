/// Why a message cannot be taken as it stands: it is counted against its sender and dropped.
package struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    /// The version of the protocol that the sender speaks, where it is another one.
    package private(set) var version: UInt8?

    package init(_ description: String) { self.description = description }

    /// The sender speaks another version.
    init(version: UInt8) {
        description =
            "the sender speaks version \(version) of the protocol, this process \(Header.version); "
            + "run the same release everywhere"
        self.version = version
    }

    /// The bytes of a message do not agree with its checksum.
    static let checksum = WireError("the message does not agree with its checksum; it was damaged on its way")

    /// A bit without a meaning, or two that exclude each other.
    static func flags(found: UInt8, kind: MessageKind) -> WireError {
        WireError("\(kind) carries flags 0x\(String(found, radix: 16)), which mean nothing together")
    }

    /// A message of another kind than the reader can take.
    static func kind(found: MessageKind, expected: String) -> WireError {
        WireError("found a message '\(found)' where \(expected) was expected")
    }

    /// A count beyond what this process takes.
    package static func limit(_ kind: MessageKind, what: String, found: Int, limit: Int) -> WireError {
        WireError("\(kind) has \(found) \(what), the limit is \(limit); use smaller batches or raise the limit")
    }

    /// A count that contradicts another one, or the schema.
    package static func mismatch(_ kind: MessageKind, what: String, found: Int, expected: Int) -> WireError {
        WireError("\(kind) has \(found) \(what), expected \(expected); all processes must run the same config")
    }

    /// An element of an array that cannot be.
    static func element(
        _ kind: MessageKind, what: String, index: Int, found: Int, allowed: ClosedRange<Int>
    ) -> WireError {
        WireError(
            "\(what) \(index) of \(kind) is \(found), allowed are \(allowed.lowerBound) to \(allowed.upperBound)")
    }

    /// A JSON frame that does not decode.
    package static func body(_ kind: MessageKind, detail: String) -> WireError {
        WireError("the text of \(kind) does not decode: \(detail)")
    }
}
