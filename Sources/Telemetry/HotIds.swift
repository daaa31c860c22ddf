/// The ids with the largest counts of a stream, in constant memory: Space-Saving with 64 counters, a batch at a time.
///
/// Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in data streams" (ICDT 2005). An id
/// that is held has `count − error ≤ true count ≤ count`; one that is not held has at most `others`, and
/// `others ≤ total / 64`. A batch of distinct ids with counts is taken as one merge of summaries (Agarwal et al.,
/// "Mergeable summaries", PODS 2012): what cannot displace a held id is passed over, which costs about a nanosecond an id.
package struct HotIds: Sendable {
    /// Ids that are held.
    package static let capacity = 64
    private static let candidateCapacity = 128

    private struct Counter {
        var id: UInt64
        var count: Int
        var error: Int
    }

    private var held: [Counter] = []
    private var candidates: [Counter] = []
    /// A bit for each value of an id's short hash that a held id has: most ids are passed over by one look.
    private var filter = [UInt64](repeating: 0, count: 16)
    /// The most that an id can have which is not held.
    package private(set) var others = 0
    /// Sum of all counts.
    package private(set) var total = 0

    /// Nothing counted.
    package init() {
        held.reserveCapacity(Self.capacity + Self.candidateCapacity)
        candidates.reserveCapacity(Self.candidateCapacity)
    }

    /// The ids with the largest counts, the largest first; ids break ties.
    package func top(_ limit: Int) -> [HotId] {
        held.sorted { ($1.count, $0.id) < ($0.count, $1.id) }.prefix(limit)
            .map { HotId(id: $0.id, count: $0.count, error: $0.error) }
    }

    /// Counts a batch.
    ///
    /// - Parameters:
    ///   - ids: `count` distinct ids.
    ///   - counts: how often each occurred.
    package mutating func add(ids: UnsafePointer<UInt64>, counts: UnsafePointer<UInt32>, count: Int) {
        // What does not get above the smallest held count stays outside.
        var cut = held.count < Self.capacity ? 0 : max(0, smallest - others)
        var passed = 0
        candidates.removeAll(keepingCapacity: true)
        for row in 0..<count {
            let times = Int(counts[row])
            total &+= times
            let bit = Self.shortHash(ids[row])
            if filter[bit >> 6] & (1 << UInt64(bit & 63)) != 0, raise(ids[row], by: times) { continue }
            guard times > cut else {
                passed = max(passed, times)
                continue
            }
            candidates.append(Counter(id: ids[row], count: times, error: 0))
            guard candidates.count == Self.candidateCapacity else { continue }
            // Only 64 of a batch can stay: the others are passed over, and so is whatever is not above them.
            candidates.sort { $0.count > $1.count }
            cut = max(cut, candidates[Self.capacity].count)
            passed = max(passed, candidates[Self.capacity].count)
            candidates.removeLast(Self.candidateCapacity - Self.capacity)
        }
        settle(passed: passed)
    }

    /// The smallest count that is held.
    private var smallest: Int {
        var smallest = Int.max
        for counter in held { smallest = min(smallest, counter.count) }
        return smallest
    }

    /// Adds to an id if it is held.
    private mutating func raise(_ id: UInt64, by times: Int) -> Bool {
        guard let place = held.firstIndex(where: { $0.id == id }) else { return false }
        held[place].count += times
        return true
    }

    /// Takes in the candidates, keeps the 64 largest and bounds the rest.
    private mutating func settle(passed: Int) {
        let before = others
        others += passed
        guard !candidates.isEmpty else { return }
        for candidate in candidates {
            held.append(Counter(id: candidate.id, count: before + candidate.count, error: before))
        }
        if held.count > Self.capacity {
            held.sort { $0.count > $1.count }
            others = max(others, held[Self.capacity].count)
            held.removeLast(held.count - Self.capacity)
        }
        for word in filter.indices { filter[word] = 0 }
        for counter in held {
            let bit = Self.shortHash(counter.id)
            filter[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    @inline(__always)
    private static func shortHash(_ id: UInt64) -> Int { Int((id &* 0x9e37_79b9_7f4a_7c15) >> 54) }
}
