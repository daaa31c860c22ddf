/// Why a pull or push is not served, and what the asker can do.
package struct Refusal: Checked, Sendable, Equatable {
    /// What the asker does next.
    package enum Reason: String, Codable, Sendable, CaseIterable {
        /// Another job: stop.
        case otherJob
        /// The map changed: ask the scheduler, then ask again.
        case oldEpoch
        /// The key list is not held (restart, other shard): send the ids.
        case sendKeys
        /// A state that is gone, or a step already applied.
        case stepPassed
        /// A step too far ahead.
        case stepAhead
        /// Rows of partitions that live elsewhere.
        case notOwner
        /// The bytes contradict themselves; the sender has a fault.
        case malformed
        /// The shard is going down or not ready yet.
        case unavailable
    }

    /// What the asker does next.
    package var reason: Reason
    /// The same for a person.
    package var text: String

    package init(_ reason: Reason, _ text: String) {
        self.reason = reason
        self.text = text
    }
}

extension Message {
    /// A refusal: `header | JSON`.
    package static func refused(to request: Header, from sender: Header, _ refusal: Refusal) -> Message {
        Message(request.reply(.refused, from: sender), [JSONFrame.encode(refusal)])
    }
}

extension Refusal {
    package init(decoding message: Message, limits: Limits) throws(WireError) {
        self = try JSONFrame.decode(message, .refused, limits: limits)
    }
}
