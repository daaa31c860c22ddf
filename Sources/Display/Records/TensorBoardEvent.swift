/// TensorBoard's `Event` message (tensorflow/core/util/event.proto), and its frame in a TFRecord file.
enum TensorBoardEvent {
    /// The first event of a file: the version of what follows.
    static func version(time: Double) -> [UInt8] {
        var event = ProtocolBuffer()
        event.add(1, time)
        event.add(3, "brain.Event:2")
        event.add(10) { $0.add(1, "myriad") }
        return event.bytes
    }

    /// What other files of the directory say of this step and later ones does not count any more.
    static func restart(time: Double, step: Int) -> [UInt8] {
        var event = ProtocolBuffer()
        event.add(1, time)
        event.add(2, Int64(step))
        event.add(7) { $0.add(1, Int64(1)) }
        return event.bytes
    }

    /// Numbers of one step.
    static func scalars(_ values: [(tag: String, value: Double)], time: Double, step: Int) -> [UInt8] {
        var event = ProtocolBuffer()
        event.add(1, time)
        event.add(2, Int64(step))
        event.add(5) { summary in
            for (tag, value) in values {
                summary.add(1) {
                    $0.add(1, tag)
                    $0.add(2, Float(value))
                }
            }
        }
        return event.bytes
    }

    /// A text, which TensorBoard shows as Markdown: a tensor of one string, for the plugin `text`.
    static func text(_ text: String, tag: String, time: Double) -> [UInt8] {
        var event = ProtocolBuffer()
        event.add(1, time)
        event.add(5) { summary in
            summary.add(1) { value in
                value.add(1, tag)
                value.add(8) { tensor in
                    // DT_STRING, and a shape of one dimension of size 1.
                    tensor.add(1, Int64(7))
                    tensor.add(2) { $0.add(2) { $0.add(1, Int64(1)) } }
                    tensor.add(8, text)
                }
                value.add(9) { $0.add(1) { $0.add(1, "text") } }
            }
        }
        return event.bytes
    }

    /// Length, its checksum, the bytes, their checksum; all little-endian.
    static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(bytes.count) >> UInt64(8 * $0)) }
        func mark(_ bytes: [UInt8]) -> [UInt8] {
            let sum = CRC32C.masked(bytes)
            return (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
        }
        return length + mark(length) + bytes + mark(bytes)
    }
}
