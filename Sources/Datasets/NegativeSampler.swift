package import Tensors

/// Draws the behaviors of DIEN's auxiliary loss that did not happen next (DIEN, equation 6).
///
/// A draw is a function of (seed, epoch, impression, position): it does not depend on who computes the micro-batch. The
/// behavior that did happen next is never drawn.
package final class NegativeSampler: Sendable {
    /// Drawing is impossible.
    package struct Failure: Error, CustomStringConvertible, Equatable {
        package let description: String
    }

    /// An entry of the alias method (Walker 1977): itself with probability `share`, else `other`.
    private struct Alias: Sendable {
        var share: Float
        var other: Int32
    }

    private let split: Split
    private let key: UInt64
    /// Event number at which each part begins, and the total.
    private let firstEvent: [Int]
    /// The first event of every distinct behavior; empty where every event is a candidate.
    private let distinct: [Int]
    private let aliases: [Alias]

    /// Looks through the behaviors of a split; throws when it holds fewer than two items.
    package init(_ split: Split, law: NegativeLaw, seed: UInt64) throws(Failure) {
        self.split = split
        key = mix64(seed ^ 0x6e65_6761_7469_7665)
        var firsts = [0]
        for part in split.parts { firsts.append(firsts[firsts.count - 1] + (part.behavior.first?.count ?? 0)) }
        firstEvent = firsts
        var item: UInt64?
        let isVaried = split.parts.contains { part in
            part.behavior.first?.contains { id in
                if item == nil { item = id }
                return id != item
            } ?? false
        }
        guard isVaried else {
            throw Failure(
                description:
                    "split '\(split.name)' has behaviors of fewer than two items: there is nothing to draw for "
                    + "the auxiliary loss; set model.auxiliary.weight to 0")
        }
        guard law != .frequency else {
            (distinct, aliases) = ([], [])
            return
        }
        let index = IdIndex()
        var (events, counts): ([Int], [Double]) = ([], [])
        for (number, part) in split.parts.enumerated() {
            for event in 0..<firsts[number + 1] - firsts[number] {
                let name = part.behavior.reduce(0 as UInt64) { mix64($0) &+ $1[event] }
                let (place, isNew) = index.number(of: name)
                if isNew {
                    events.append(firsts[number] + event)
                    counts.append(1)
                } else {
                    counts[Int(place)] += 1
                }
            }
        }
        distinct = events
        aliases = law == .uniform ? [] : NegativeSampler.aliases(counts.map { ($0.squareRoot() * $0).squareRoot() })
    }

    private static func aliases(_ weights: [Double]) -> [Alias] {
        let mean = weights.reduce(0, +) / Double(weights.count)
        var shares = weights.map { $0 / mean }
        var table = [Alias](repeating: Alias(share: 1, other: 0), count: weights.count)
        var (small, large): ([Int], [Int]) = ([], [])
        for place in shares.indices {
            if shares[place] < 1 { small.append(place) } else { large.append(place) }
        }
        while let low = small.popLast(), let high = large.last {
            table[low] = Alias(share: Float(shares[low]), other: Int32(high))
            shares[high] -= 1 - shares[low]
            if shares[high] < 1 { small.append(large.removeLast()) }
        }
        return table
    }

    /// A behavior of the split, as a part and an event in it, whose first field is not `avoided`.
    func draw(epoch: Int, group: Int, position: Int, avoiding avoided: UInt64) -> (part: Int, event: Int) {
        let epochKey = mix64(key &+ UInt64(epoch))
        for attempt in 0..<64 {
            let counter = UInt64(position) << 32 | UInt64(attempt)
            let place = locate(pick(Philox.words(key: epochKey, UInt64(group), counter)))
            if id(place) != avoided { return place }
        }
        // Nearly all events are of one item: the next of another one, from a drawn place on.
        let total = firstEvent[firstEvent.count - 1]
        var event = Int(Philox.below(UInt64(total), key: epochKey, UInt64(group), UInt64(position) << 32 | 64))
        while id(locate(event)) == avoided { event = (event + 1) % total }
        return locate(event)
    }

    private func pick(_ words: SIMD4<UInt32>) -> Int {
        let word = UInt64(words[0]) | UInt64(words[1]) << 32
        let bound = distinct.isEmpty ? firstEvent[firstEvent.count - 1] : distinct.count
        var place = Int(word.multipliedFullWidth(by: UInt64(bound)).high)
        if !aliases.isEmpty, Philox.unit(words[2]) >= aliases[place].share { place = Int(aliases[place].other) }
        return distinct.isEmpty ? place : distinct[place]
    }

    private func locate(_ event: Int) -> (part: Int, event: Int) {
        let part = firstEvent.count(upTo: event) - 1
        return (part, event - firstEvent[part])
    }

    private func id(_ place: (part: Int, event: Int)) -> UInt64 { split.parts[place.part].behavior[0][place.event] }
}
