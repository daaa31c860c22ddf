/// TensorBoard's `Event` message (tensorflow/core/util/event.proto), and its frame in a TFRecord file.
enum TensorBoardEvent {
    /// The first event of a file: the version of what follows.
    static func version(time: Double) -> [UInt8] {
        event(time) {
            $0.add(3, "brain.Event:2")
            $0.add(10) { $0.add(1, "myriad") }
        }
    }

    /// What other files of the directory say of this step and later ones does not count any more.
    static func restart(time: Double, step: Int) -> [UInt8] {
        event(time, step: step) { $0.add(7) { $0.add(1, Int64(1)) } }
    }

    /// Numbers of one step.
    static func scalars(_ values: [(tag: String, value: Double)], time: Double, step: Int) -> [UInt8] {
        event(time, step: step) {
            $0.add(5) { summary in
                for (tag, value) in values {
                    summary.add(1) {
                        $0.add(1, tag)
                        $0.add(2, Float(value))
                    }
                }
            }
        }
    }

    /// A text, which TensorBoard shows as Markdown: a tensor of one string, for the plugin `text`.
    static func text(_ text: String, tag: String, time: Double) -> [UInt8] {
        event(time) {
            $0.add(5) {
                $0.add(1) { value in
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
        }
    }

    private static func event(_ time: Double, step: Int? = nil, _ body: (inout ProtocolBuffer) -> Void) -> [UInt8] {
        var event = ProtocolBuffer()
        event.add(1, time)
        if let step { event.add(2, Int64(step)) }
        body(&event)
        return event.bytes
    }

    /// Length, its checksum, the bytes, their checksum; all little-endian.
    static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = ProtocolBuffer.littleEndian(UInt64(bytes.count))
        func mark(_ bytes: [UInt8]) -> [UInt8] { ProtocolBuffer.littleEndian(CRC32C.masked(bytes)) }
        return length + mark(length) + bytes + mark(bytes)
    }
}
