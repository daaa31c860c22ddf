/// Which samples a message of scores covers.
package struct ScoresRange: Checked, Sendable, Equatable {
    /// The split, by name.
    package var split: String
    /// Steps applied in the parameters that scored.
    package var step: Int
    /// First sample, in the split's natural order.
    package var first: Int
    /// Number of samples.
    package var count: Int

    package init(split: String, step: Int, first: Int, count: Int) {
        self.split = split
        self.step = step
        self.first = first
        self.count = count
    }

    // A position beyond 2^48 is no sample: whoever adds a count to it cannot overflow.
    var fault: String? {
        beyond(step: step) ?? beyond("first", first, 0...1 << 48) ?? beyond("count", count, 0...Limits().scores)
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
        let count = Int(message.header.samples)
        try check(.scores, "samples", count, limit: limits.scores)
        unsafe logits = try message.elements(1, "logits", count, limits: limits, scratch: scratch)
        unsafe labels = try message.elements(2, "labels", count, limits: limits, scratch: scratch)
        unsafe keys = try message.elements(3, "keys", count, limits: limits, scratch: scratch)
        range = try JSONFrame.decode(message, .scores, frames: 4, limits: limits)
        try check(.scores, "samples in its range", range.count, is: count)
        // Logits may be any float: the book that takes them says when training has diverged.
        guard unsafe labels.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw .body(.scores, detail: "a label is neither 0 nor 1")
        }
        self.message = message
    }
}
