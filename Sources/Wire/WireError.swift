/// A message that cannot be taken as it stands: counted against its sender and dropped.
package enum WireError: Error, Equatable, Sendable {
    /// The first frame is not 64 bytes long.
    case headerLength(found: Int)
    /// The first four bytes are not 'MYRD'.
    case magic(found: UInt32)
    /// The sender speaks another version.
    case version(found: UInt8)
    /// The bytes of a message do not agree with its checksum.
    case checksum
    /// No message has this number.
    case unknownKind(UInt8)
    /// A bit without a meaning, or two that exclude each other.
    case flags(found: UInt8, kind: MessageKind)
    /// A message of another kind than the reader can take.
    case kind(found: MessageKind, expected: String)
    /// Frames after the header.
    case frameCount(MessageKind, found: Int, expected: Int)
    /// Bytes of a frame.
    case frameLength(MessageKind, frame: String, found: Int, expected: Int)
    /// A count beyond what this process takes.
    case limit(MessageKind, what: String, found: Int, limit: Int)
    /// A count that contradicts another one, or the schema.
    case mismatch(MessageKind, what: String, found: Int, expected: Int)
    /// An element of an array that cannot be.
    case element(MessageKind, what: String, index: Int, found: Int, allowed: ClosedRange<Int>)
    /// Gradients with a number that is infinite or NaN.
    case notFinite(MessageKind)
    /// A message of somebody who has no business to send it.
    case sender(MessageKind, role: Role, rank: Int, workers: Int)
    /// Shards among which no partitions can be divided.
    case map(partitions: Int, shards: Int)
    /// A JSON frame that does not decode.
    case body(MessageKind, detail: String)
}

extension WireError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .headerLength(let found):
            "the first frame has \(found) bytes, a header has \(Header.byteCount); the sender is no Myriad process"
        case .magic(let found):
            "the message starts with 0x\(String(found, radix: 16)), not 'MYRD'; the sender is no Myriad process"
        case .version(let found):
            "the sender speaks version \(found) of the protocol, this process \(Header.version); "
                + "run the same release everywhere"
        case .checksum:
            "the message does not agree with its checksum; it was damaged on its way"
        case .unknownKind(let code):
            "no message has number \(code); run the same release everywhere"
        case .flags(let found, let kind):
            "\(kind) carries flags 0x\(String(found, radix: 16)), which mean nothing together"
        case .kind(let found, let expected):
            "found a message '\(found)' where \(expected) was expected"
        case .frameCount(let kind, let found, let expected):
            "\(kind) has \(found) frames after its header, expected \(expected)"
        case .frameLength(let kind, let frame, let found, let expected):
            "frame '\(frame)' of \(kind) has \(found) bytes, its header and the schema say \(expected)"
        case .limit(let kind, let what, let found, let limit):
            "\(kind) has \(found) \(what), the limit is \(limit); use smaller batches or raise the limit"
        case .mismatch(let kind, let what, let found, let expected):
            "\(kind) has \(found) \(what), expected \(expected); all processes must run the same config"
        case .element(let kind, let what, let index, let found, let allowed):
            "\(what) \(index) of \(kind) is \(found), allowed are \(allowed.lowerBound) to \(allowed.upperBound)"
        case .notFinite(let kind):
            "\(kind) holds a number that is infinite or NaN: the training diverged at its sender; lower the learning rate"
        case .sender(let kind, let role, let rank, let workers):
            "\(kind) comes of \(role) \(rank), but only workers 0 to \(workers - 1), the processes that the scheduler let in, may "
                + "send it"
        case .map(let partitions, let shards):
            "\(shards) shards cannot share \(partitions) partitions: cluster.servers × cluster.shards must be from 1 to "
                + "\(partitions)"
        case .body(let kind, let detail):
            "the text of \(kind) does not decode: \(detail)"
        }
    }
}
