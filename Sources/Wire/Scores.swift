/// Which samples a message of scores covers.
package struct ScoresRange: Codable, Sendable, Equatable {
    /// The split, by name.
    package var split: String
    /// Steps applied in the parameters that scored.
    package var step: Int
    /// First sample, in the split's natural order.
    package var first: Int
    /// Number of samples.
    package var count: Int

    /// Every property in its order.
    package init(split: String, step: Int, first: Int, count: Int) {
        self.split = split
        self.step = step
        self.first = first
        self.count = count
    }
}

/// Scores of a range of a split: `header | JSON | logits f32 | labels f32 | keys u64`.
extension Message {
    /// Scores of a worker; the three arrays have `range.count` elements.
    package static func scores(
        _ header: Header, range: ScoresRange, logits: Payload, labels: Payload, keys: Payload
    ) -> Message {
        var header = header
        header.kind = .scores
        header.samples = UInt32(range.count)
        return Message(header, [JSONFrame.encode(range), logits, labels, keys])
    }
}

/// Scores that were checked as a whole; its pointers live as long as the message and until the scratch is used again.
@safe
package struct ScoresView {
    /// Which samples.
    package let range: ScoresRange
    /// Logits [count].
    package let logits: UnsafeBufferPointer<Float>
    /// Labels [count].
    package let labels: UnsafeBufferPointer<Float>
    /// Users, for GAUC [count].
    package let keys: UnsafeBufferPointer<UInt64>
    private let message: Message

    /// Checks the lengths and that the range is one.
    package init(decoding message: Message, limits: Limits, scratch: Scratch) throws(WireError) {
        try message.expect(.scores, frames: 4)
        try message.allow([])
        let count = Int(message.header.samples)
        try check(.scores, "samples", count, limit: limits.scores)
        let logits = try message.frame(1, "logits", count, stride: 4, limits: limits)
        let labels = try message.frame(2, "labels", count, stride: 4, limits: limits)
        let keys = try message.frame(3, "keys", count, stride: 8, limits: limits)
        let range = try JSONFrame.decode(ScoresRange.self, message.frames[0], kind: .scores, limits: limits)
        try check(.scores, "samples in its range", range.count, is: count)
        unsafe self.logits = scratch.aligned(logits, slot: 1, as: Float.self)
        unsafe self.labels = scratch.aligned(labels, slot: 2, as: Float.self)
        unsafe self.keys = scratch.aligned(keys, slot: 3, as: UInt64.self)
        // Logits may be any float: the book that takes them says when training has diverged.
        guard unsafe self.labels.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw .body(.scores, detail: "a label is neither 0 nor 1")
        }
        self.range = range
        self.message = message
    }
}
