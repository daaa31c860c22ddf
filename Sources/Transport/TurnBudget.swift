/// What a thread takes from a socket before it looks at the clock and at its other sources again, whatever comes in.
package struct TurnBudget {
    private static let mostMessages = 1000
    private static let mostBytes = 64 << 20
    private static let longest = Duration.milliseconds(50)

    private let end = ContinuousClock.now + longest
    private var messages = 0
    private var bytes = 0

    /// The budget of a turn that begins now.
    package init() {}

    /// Whether a further message may be taken.
    var allowsMore: Bool { messages < Self.mostMessages && bytes < Self.mostBytes && ContinuousClock.now < end }

    /// Counts a message.
    mutating func note(bytes count: Int) {
        messages += 1
        bytes += count
    }
}
