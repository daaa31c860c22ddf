/// The numbers that a control message carries, in the header's fields `request` and `dense`.
package struct ControlNumbers: Sendable, Equatable {
    /// Its place among the numbered messages of its sender, from 1; 0 for a message that may be lost.
    package var number: UInt32
    /// The last numbered message of the other end that the sender has taken.
    package var acknowledged: UInt32

    /// Numbers; without any, of a message between ends that have no session.
    package init(number: UInt32 = 0, acknowledged: UInt32 = 0) {
        self.number = number
        self.acknowledged = acknowledged
    }

    /// The numbers of a control message that came.
    package init(_ header: Header) { self.init(number: header.request, acknowledged: header.dense) }
}

extension Message {
    /// The same message with these numbers.
    package func with(_ numbers: ControlNumbers) -> Message {
        var message = self
        message.header.request = numbers.number
        message.header.dense = numbers.acknowledged
        return message
    }
}

/// One end of the control path between a node and the scheduler, where no message may be lost, doubled or overtaken.
///
/// ZeroMQ delivers at most once. A message that matters is numbered and kept until the other end has acknowledged it; it is
/// sent again when that takes too long. The other end takes only the number that follows (go-back-N). Both ends belong to
/// processes, not to connections: a session goes on over the next connection.
package struct ControlSession<Item: Sendable>: Sendable {
    /// What is sent, and with which numbers.
    package typealias Outgoing = (item: Item, numbers: ControlNumbers)

    /// How long an acknowledgement is waited for: heartbeats, which carry it, come twice a second.
    private let patience = Duration.seconds(1)
    private let longestPatience = Duration.seconds(8)
    /// Items that wait for their acknowledgement, oldest first, and the number of the oldest.
    private var kept: [Item] = []
    private var oldest: UInt32 = 1
    private var taken: UInt32 = 0
    private var tries = 0
    private var due: ContinuousClock.Instant?
    /// Items that were sent more than once.
    package private(set) var repeats = 0

    /// A session in which nothing was said yet.
    package init() {}

    /// Whether the other end has all that was sent.
    package var isSettled: Bool { kept.isEmpty }

    /// The numbers of a message that may be lost.
    package var unnumbered: ControlNumbers { ControlNumbers(acknowledged: taken) }

    /// Numbers an item and keeps it.
    package mutating func send(_ item: Item, at time: ContinuousClock.Instant) -> Outgoing {
        kept.append(item)
        if due == nil { due = time + patience }
        return outgoing(kept.count - 1)
    }

    /// Takes the numbers of a message that came; false when the message has to be dropped: it is a repeat, or one before it
    /// is still missing.
    package mutating func take(_ numbers: ControlNumbers, at time: ContinuousClock.Instant) -> Bool {
        let news = Int(numbers.acknowledged) - Int(oldest) + 1
        if news > 0, news <= kept.count {
            kept.removeFirst(news)
            oldest += UInt32(news)
            tries = 0
            due = kept.isEmpty ? nil : time + patience
        }
        guard numbers.number != 0 else { return true }
        guard numbers.number == taken &+ 1 else { return false }
        taken = numbers.number
        return true
    }

    /// What has to be sent again now.
    package mutating func overdue(at time: ContinuousClock.Instant) -> [Outgoing] {
        guard let due, due <= time else { return [] }
        return reconnected(at: time)
    }

    /// What has to be sent over a new connection: what went over the old one may be lost.
    package mutating func reconnected(at time: ContinuousClock.Instant) -> [Outgoing] {
        guard !kept.isEmpty else { return [] }
        tries = min(tries + 1, 8)
        due = time + min(patience * (1 << tries), longestPatience)
        repeats += kept.count
        return kept.indices.map(outgoing)
    }

    private func outgoing(_ index: Int) -> Outgoing {
        (kept[index], ControlNumbers(number: oldest + UInt32(index), acknowledged: taken))
    }
}

extension MessageKind {
    /// Whether a control message is numbered: one that decides something, or that nobody would tell again.
    package var isNumbered: Bool {
        !isData
            && ![.hello, .heartbeat, .counters, .leaving, .inspect, .inspected, .probeWish, .probeResult].contains(self)
    }
}
