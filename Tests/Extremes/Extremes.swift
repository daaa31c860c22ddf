import Foundation
package import Wire

/// A message with one thing at a time at its extreme.
package enum Extremes {
    /// Every field of the header at 0, 1 and its largest, every role and every set of flags.
    package static func headers(of message: Message) -> [Message] {
        let fields: [(inout Header, UInt64) -> Void] = [
            { $0.tables = UInt8(truncatingIfNeeded: $1) }, { $0.job = $1 },
            { $0.incarnation = UInt32(truncatingIfNeeded: $1) }, { $0.epoch = UInt32(truncatingIfNeeded: $1) },
            { $0.rank = UInt16(truncatingIfNeeded: $1) }, { $0.microBatches = UInt16(truncatingIfNeeded: $1) },
            { $0.step = UInt32(truncatingIfNeeded: $1) }, { $0.subtree = UInt32(truncatingIfNeeded: $1) },
            { $0.samples = UInt32(truncatingIfNeeded: $1) }, { $0.rows = UInt32(truncatingIfNeeded: $1) },
            { $0.dense = UInt32(truncatingIfNeeded: $1) }, { $0.keyListHash = $1 },
            { $0.request = UInt32(truncatingIfNeeded: $1) },
        ]
        var all: [Message] = []
        for field in fields {
            for value in [0, 1, UInt64.max, 1 << 24, 0x10_0000] {
                var copy = message
                field(&copy.header, value)
                all.append(copy)
            }
        }
        for role in Role.allCases {
            for flags in 0..<UInt8(16) {
                var copy = message
                (copy.header.role, copy.header.flags) = (role, MessageFlags(rawValue: flags))
                all.append(copy)
            }
        }
        return all
    }

    /// Every frame missing, empty, one byte short and long, at an odd address, and full of ones.
    package static func frames(of message: Message) -> [Message] {
        var all: [Message] = []
        for index in message.frames.indices {
            let bytes = Array(message.frames[index].bytes)
            let others: [[UInt8]] = [
                [], Array(bytes.dropLast()), bytes + [0], bytes.map { _ in 0xff }, bytes.map { _ in 0x7f },
            ]
            for other in others {
                var copy = message
                copy.frames[index] = Payload(copying: other)
                all.append(copy)
            }
            var odd = message
            odd.frames[index] = shifted(bytes)
            var less = message
            less.frames.remove(at: index)
            var more = message
            more.frames.insert(message.frames[index], at: index)
            all += [odd, less, more]
        }
        return all
    }

    private static func shifted(_ bytes: [UInt8]) -> Payload {
        let buffer = Buffer(bytes: bytes.count + 1)
        buffer.count = bytes.count + 1
        UnsafeMutableRawBufferPointer(rebasing: buffer.mutable[1...]).copyBytes(from: bytes)
        return Payload(UnsafeRawBufferPointer(rebasing: buffer.bytes[1...]), owner: buffer)
    }

    /// The first frame as JSON, every value in it by turns missing, of another type, and at every extreme of a number.
    package static func bodies(of message: Message) -> [Message] {
        // A last word has the body of `counters`, the longest.
        guard message.header.kind != .stopped, let frame = message.frames.first,
            let body = try? JSONSerialization.jsonObject(with: Data(frame.bytes), options: .fragmentsAllowed)
        else { return [] }
        return variants(of: body).compactMap { variant in
            guard let data = try? JSONSerialization.data(withJSONObject: variant, options: .fragmentsAllowed) else {
                return nil
            }
            var copy = message
            copy.frames[0] = Payload(copying: Array(data))
            return copy
        }
    }

    private static var values: [Any] {
        [
            Int.min, -1, 0, 1 << 53, Int.max, UInt64.max, 1e308, 0.5, "nan", NSNull(), true, [1], [String: Int](),
            String(repeating: "x", count: 5000), "a\u{1b}[2J\u{0}b\nc",
        ]
    }

    private static func variants(of value: Any) -> [Any] {
        var all = values
        if let object = value as? [String: Any] {
            for (key, child) in object {
                var less = object
                less[key] = nil
                all.append(less)
                for variant in variants(of: child) {
                    var copy = object
                    copy[key] = variant
                    all.append(copy)
                }
            }
        } else if let list = value as? [Any] {
            for (index, child) in list.enumerated().prefix(2) {
                for variant in variants(of: child) {
                    var copy = list
                    copy[index] = variant
                    all.append(copy)
                }
            }
        }
        return all
    }
}
