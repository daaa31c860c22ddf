/// How a history is cut into sessions (DSIN, section 3.2): at pauses; the newest ones are kept, and of each its newest part.
package struct SessionRule: Sendable, Hashable {
    /// A pause of more seconds than this ends a session; as many do not.
    package var gap: Int64
    /// Newest sessions that are kept, K.
    package var count: Int
    /// Newest behaviors of a session that are kept, T.
    package var length: Int

    /// A rule; the paper's half hour, and the public code's 5 sessions of 10 behaviors unless told.
    package init(gap: Int64 = 1800, count: Int = 5, length: Int = 10) {
        self.gap = gap
        self.count = count
        self.length = length
    }

    /// How many events of `begin..<end` lie strictly before the impression; all where it has no time.
    func end(_ times: UnsafeBufferPointer<Int64>, _ begin: Int, _ end: Int, before impression: Int64?) -> Int {
        guard let impression else { return end }
        var last = end
        while last > begin, times[last - 1] >= impression { last -= 1 }
        return last
    }

    /// Calls `body` with the kept part of every kept session, from the newest to the oldest.
    ///
    /// - Parameters:
    ///   - times: in seconds, ascending within `begin..<end`.
    func divide(_ times: UnsafeBufferPointer<Int64>, _ begin: Int, _ end: Int, _ body: (Range<Int>) -> Void) {
        var (last, kept) = (end, 0)
        while last > begin, kept < count {
            var first = last - 1
            while first > begin, times[first] &- times[first - 1] <= gap { first -= 1 }
            body(max(first, last - length)..<last)
            kept += 1
            last = first
        }
    }
}
