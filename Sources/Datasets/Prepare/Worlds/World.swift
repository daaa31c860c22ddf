import Foundation
import Telemetry
import Tensors

/// A world that draws users' lives, and knows the probability of every click.
///
/// The probability is a function of what the sample stores, its history and its candidate. So its AUC is the best that a
/// model can reach, and a model that cannot read what the world is about stays below by an amount that can be known.
protocol World {
    /// A user's behaviors and visits, in order of time.
    func life(of user: Int, _ draws: Draws) -> Life
    /// Whether a split repeats all behaviors before its last visit, or begins with the history of its first one.
    var repeatsLives: Bool { get }
}

extension World {
    var repeatsLives: Bool { false }
}

/// A user's behaviors, and the visits that saw parts of them.
struct Life {
    struct Behavior {
        let item: Int
        let category: Int
        /// Seconds, but in the world of interests, where it is the place.
        let time: Int64
    }

    struct Candidate {
        let item: Int
        let category: Int
        let probability: Double
        let label: Float
    }

    /// One impression: what it shows, and the behaviors that are its history.
    struct Visit {
        let history: Range<Int>
        let time: Int64
        let candidates: [Candidate]
    }

    var behaviors: [Behavior] = []
    var visits: [Visit] = []

    /// Which visits train, validate and test: the last tenth tests, the tenth before validates.
    var parts: [Range<Int>] {
        let tenth = max(1, visits.count / 10)
        let (validation, test) = (visits.count - 2 * tenth, visits.count - tenth)
        return [0..<validation, validation..<test, test..<visits.count]
    }
}

/// A user's random numbers, one after the other.
final class Draws {
    private let seed: UInt64
    private let stream: UInt64
    private var counter: UInt64 = 0

    init(seed: UInt64, stream: UInt64) {
        self.seed = seed
        self.stream = stream
    }

    /// A number in [0, 1).
    func unit() -> Double {
        counter += 1
        return Double(Philox.word(key: seed, stream, counter) >> 11) * 0x1p-53
    }

    /// A whole number of the range, all alike.
    func whole(_ range: Range<Int>) -> Int { range.lowerBound + Int(unit() * Double(range.count)) }

    /// An index by cumulated weights.
    func pick(_ weights: [Double]) -> Int {
        let value = unit()
        return weights.firstIndex { value < $0 } ?? weights.count - 1
    }

    /// 1 with this probability, else 0.
    func label(_ probability: Double) -> Float { unit() < probability ? 1 : 0 }

    /// The elements in an order drawn uniformly.
    func shuffled(_ elements: some Sequence<Int>) -> [Int] {
        var elements = Array(elements)
        for place in elements.indices.dropFirst().reversed() { elements.swapAt(place, whole(0..<place + 1)) }
        return elements
    }
}

/// A user's time in seconds: behaviors of a session follow within two minutes, sessions after hours.
struct Clock {
    private(set) var now: Int64 = 1_600_000_000

    mutating func nextSession(_ draws: Draws) { now += Int64(draws.whole(7_200..<43_200)) }
    mutating func nextEvent(_ draws: Draws) { now += Int64(draws.whole(10..<121)) }
}

/// Items by category: `count` of each, drawn by Zipf's law.
struct Shelves {
    let count: Int
    private let weights: [Double]

    init(_ options: WorldOptions) {
        count = options.items / options.categories
        weights = zipf(count, 1)
    }

    private func item(_ category: Int, _ draws: Draws) -> Int { category * count + draws.pick(weights) }

    func behavior(_ category: Int, at time: Int64, _ draws: Draws) -> Life.Behavior {
        .init(item: item(category, draws), category: category, time: time)
    }

    /// A candidate that is clicked with this probability.
    func candidate(_ category: Int, _ probability: Double, _ draws: Draws) -> Life.Candidate {
        .init(
            item: item(category, draws), category: category, probability: probability, label: draws.label(probability))
    }
}

/// Cumulated weights of 1/rank^s.
func zipf(_ count: Int, _ exponent: Double) -> [Double] {
    var sum = 0.0
    var weights: [Double] = []
    for rank in 1...max(1, count) {
        sum += 1 / pow(Double(rank), exponent)
        weights.append(sum)
    }
    return weights.map { $0 / sum }
}

/// σ(x).
func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// An id that is neither padding nor unknown, by kind: 0 user, 1 item, 2 category.
func worldId(_ kind: UInt64, _ number: Int) -> UInt64 { mix64(UInt64(number) + 2 + kind << 40) | 2 }

/// The world that the options describe.
func makeWorld(_ options: WorldOptions, seed: UInt64) throws -> any World {
    let (categories, impressions) =
        switch options.kind {
        case .interests: (2, 10)
        case .order: (6, 10)
        case .drift: (8, 40)
        case .sessions: (8, 40)
        }
    for (name, value, least) in [
        ("users", options.users, 1), ("categories", options.categories, categories),
        ("interests", options.interests, 1), ("items", options.items, options.categories),
        ("impressions", options.impressions, impressions),
    ] where value < least {
        throw PrepareError.option(name, "is \(value); at least \(least) are needed")
    }
    switch options.kind {
    case .interests: return try InterestsWorld(options, seed: seed)
    case .order: return OrderWorld(options)
    case .drift: return try DriftWorld(options)
    case .sessions: return SessionsWorld(options)
    }
}

/// Writes the three splits and returns the Bayes AUC of each.
func write(
    _ world: any World, users: Int, seed: UInt64, to writer: DatasetWriter, progress: (Double) -> Void
) throws -> [String: Double] {
    let names = ["train", "validation", "test"]
    let splits = try names.map { try writer.split($0) }
    var probabilities: [[Float]] = [[], [], []]
    var labels: [[Float]] = [[], [], []]
    for user in 0..<users {
        if user % 256 == 0 { progress(Double(user) / Double(users)) }
        let life = world.life(of: user, Draws(seed: seed, stream: UInt64(user)))
        for (part, visits) in life.parts.enumerated() {
            try append(life, visits, of: user, whole: world.repeatsLives, to: splits[part])
            let shown = life.visits[visits].flatMap(\.candidates)
            probabilities[part] += shown.map { Float($0.probability) }
            labels[part] += shown.map(\.label)
        }
    }
    var best: [String: Double] = [:]
    for (part, split) in splits.enumerated() {
        guard let auc = areaUnderROC(scores: probabilities[part], labels: labels[part]) else { continue }
        best[names[part]] = auc
        split.setBayesAUC(auc)
    }
    return best
}

/// Appends some visits of a user to a split, and the behaviors that they saw.
private func append(
    _ life: Life, _ visits: Range<Int>, of user: Int, whole: Bool, to split: SplitWriter
) throws {
    let begin = whole ? 0 : life.visits[visits.lowerBound].history.lowerBound
    let end = life.visits[visits.upperBound - 1].history.upperBound
    var shift = 0
    for (place, behavior) in life.behaviors[begin..<end].enumerated() {
        let index = try split.appendEvent(
            behavior: [worldId(1, behavior.item), worldId(2, behavior.category)], time: behavior.time)
        if place == 0 { shift = index - begin }
    }
    for visit in life.visits[visits] {
        try split.group(
            key: worldId(0, user), user: [worldId(0, user)], time: visit.time,
            history: visit.history.lowerBound + shift..<visit.history.upperBound + shift)
        for candidate in visit.candidates {
            try split.candidate(
                item: [worldId(1, candidate.item), worldId(2, candidate.category)], label: candidate.label,
                probability: Float(candidate.probability))
        }
    }
}
