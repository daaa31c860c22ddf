/// Sequences laid out step by step, the longest first, so that every step of a recurrent layer is one dense block.
///
/// A *rank* is a sequence's place by falling length (ties in their own order). Row `starts[t] + rank` holds step t of a
/// sequence; the sequences that are at least t + 1 long are the first `active(t)` ranks. A *position* numbers the steps
/// sequence by sequence, as the offsets do.
///
/// A view of arena memory.
@frozen
public struct TimeMajor: BitwiseCopyable, @unchecked Sendable {
    /// Sequences, empty ones included.
    public let sequences: Int
    /// The longest sequence's length.
    public let steps: Int
    /// Steps of all sequences.
    public let rows: Int
    /// [steps + 1]: the first row of every step.
    public let starts: UnsafeMutablePointer<Int32>
    /// [rows]: the position that stands in a row.
    public let positionOf: UnsafeMutablePointer<Int32>
    /// [positions]: the row of a position.
    public let rowOf: UnsafeMutablePointer<Int32>
    /// [sequences]: the row of a sequence's last step, −1 for an empty one.
    public let lastRow: UnsafeMutablePointer<Int32>

    /// Lays out sequences of positions `offsets[s]..<offsets[s + 1]`, `offsets[0]` = 0.
    ///
    /// - Parameter reversed: step t is then the t-th position from the end of its sequence.
    public init(offsets: UnsafePointer<Int32>, count: Int, reversed: Bool = false, _ arena: Arena) {
        sequences = count
        rows = count > 0 ? Int(offsets[count]) : 0
        var longest = 0
        for sequence in 0..<count { longest = max(longest, Int(offsets[sequence + 1] - offsets[sequence])) }
        steps = longest
        starts = arena.ints(longest + 1)
        positionOf = arena.ints(rows)
        rowOf = arena.ints(rows)
        lastRow = arena.ints(count)
        // atLeast[l]: how many sequences are at least l long; next[l]: the rank of the next sequence of length l.
        let atLeast = arena.ints(longest + 2)
        let next = arena.ints(longest + 1)
        for length in 0..<longest + 2 { atLeast[length] = 0 }
        for sequence in 0..<count { atLeast[Int(offsets[sequence + 1] - offsets[sequence])] += 1 }
        for length in stride(from: longest - 1, through: 0, by: -1) { atLeast[length] += atLeast[length + 1] }
        for length in 0...longest { next[length] = atLeast[length + 1] }
        starts[0] = 0
        for step in 0..<longest { starts[step + 1] = starts[step] + atLeast[step + 1] }
        for sequence in 0..<count {
            let (first, end) = (Int(offsets[sequence]), Int(offsets[sequence + 1]))
            let length = end - first
            let rank = next[length]
            next[length] += 1
            for step in 0..<length {
                let row = starts[step] + rank
                let position = reversed ? end - 1 - step : first + step
                positionOf[Int(row)] = Int32(position)
                rowOf[position] = row
            }
            lastRow[sequence] = length > 0 ? starts[length - 1] + rank : -1
        }
    }

    /// The rows of a step.
    @inlinable
    public func rows(ofStep step: Int) -> Range<Int> { Int(starts[step])..<Int(starts[step + 1]) }

    /// How many sequences have a step.
    @inlinable
    public func active(_ step: Int) -> Int { Int(starts[step + 1] - starts[step]) }
}
