import Datasets
import Evaluation
import Foundation
import Hashing
import Tensors

/// A world whose click probability is known, so that the best possible AUC is too.
///
/// A user holds a few interests (categories, drawn by Zipf's law) and drifts: after a session each is replaced with
/// probability `drift`. A session is five behaviors, each an item (again by Zipf) of one of the interests. Every session
/// is followed by impressions of one candidate: half of them from the interests, half from anywhere. With f the share of
/// the newest 50 behaviors that are of the candidate's category and b a constant of that category,
///
/// p(click) = σ(−1.6 + 3.5·(1 − e^(−5·f)) + b)
///
/// so that only those behaviors count that are like the target, and how many they are. The last tenth of a user's
/// impressions tests, the tenth before validates.
final class SyntheticWorld {
    private let options: WorldOptions
    private let seed: UInt64
    private let categoryWeights: [Double]
    private let itemWeights: [Double]
    private let itemsOfCategory: Int
    private let bias: [Double]

    private struct Impression {
        let history: Range<Int>
        let category: Int
        let item: Int
        let probability: Double
        let label: Float
    }

    init(_ options: WorldOptions, seed: UInt64) throws {
        for (name, value, least) in [
            ("users", options.users, 1), ("categories", options.categories, 2), ("interests", options.interests, 1),
            ("items", options.items, options.categories), ("impressions", options.impressions, 10),
        ] where value < least {
            throw PrepareError.option(name, "is \(value); at least \(least) are needed")
        }
        guard options.interests <= options.categories else {
            throw PrepareError.option("interests", "is more than there are categories (\(options.categories))")
        }
        self.options = options
        self.seed = seed
        itemsOfCategory = options.items / options.categories
        categoryWeights = SyntheticWorld.zipf(options.categories, 0.7)
        itemWeights = SyntheticWorld.zipf(itemsOfCategory, 1)
        let random = Draws(seed: seed, stream: 0xffff_ffff)
        bias = (0..<options.categories).map { _ in 0.8 * (random.unit() - 0.5) }
    }

    /// Cumulated weights of 1/rank^s.
    private static func zipf(_ count: Int, _ exponent: Double) -> [Double] {
        var sum = 0.0
        var weights: [Double] = []
        for rank in 1...max(1, count) {
            sum += 1 / pow(Double(rank), exponent)
            weights.append(sum)
        }
        return weights.map { $0 / sum }
    }

    /// A user's random numbers, one after the other.
    private final class Draws {
        private let seed: UInt64
        private let stream: UInt64
        private var counter: UInt64 = 0

        init(seed: UInt64, stream: UInt64) {
            self.seed = seed
            self.stream = stream
        }

        func unit() -> Double {
            counter += 1
            return Double(Philox.word(key: seed, stream, counter) >> 11) * 0x1p-53
        }

        func pick(_ weights: [Double]) -> Int {
            let value = unit()
            return weights.firstIndex { value < $0 } ?? weights.count - 1
        }
    }

    /// Writes the three splits and returns the Bayes AUC of each.
    func write(to writer: DatasetWriter, progress: (Double) -> Void) throws -> [String: Double] {
        let names = ["train", "validation", "test"]
        let splits = try names.map { try writer.split($0) }
        var probabilities: [[Float]] = [[], [], []]
        var labels: [[Float]] = [[], [], []]
        for user in 0..<options.users {
            if user % 256 == 0 { progress(Double(user) / Double(options.users)) }
            let (behaviors, impressions) = life(of: user)
            let tenth = max(1, options.impressions / 10)
            for (part, split) in splits.enumerated() {
                let range =
                    part == 0
                    ? 0..<options.impressions - 2 * tenth
                    : part == 1
                        ? options.impressions - 2 * tenth..<options.impressions - tenth
                        : options.impressions - tenth..<options.impressions
                var first = -1
                for (place, behavior) in behaviors.prefix(impressions[range.upperBound - 1].history.upperBound)
                    .enumerated()
                {
                    let index = try split.appendEvent(
                        behavior: [id(1, behavior.item), id(2, behavior.category)], time: Int64(place))
                    if first < 0 { first = index }
                }
                for impression in impressions[range] {
                    try split.group(
                        key: id(0, user), user: [id(0, user)], time: Int64(impression.history.upperBound),
                        history: first + impression.history.lowerBound..<first + impression.history.upperBound)
                    try split.candidate(
                        item: [id(1, impression.item), id(2, impression.category)], label: impression.label,
                        probability: Float(impression.probability))
                    probabilities[part].append(Float(impression.probability))
                    labels[part].append(impression.label)
                }
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

    /// An id that is neither padding nor unknown, by kind.
    private func id(_ kind: UInt64, _ number: Int) -> UInt64 { mix64(UInt64(number) + 2 + kind << 40) | 2 }

    private func life(of user: Int) -> (behaviors: [(item: Int, category: Int)], impressions: [Impression]) {
        let random = Draws(seed: seed, stream: UInt64(user))
        var interests: [Int] = []
        func newInterest() -> Int {
            while true {
                let category = random.pick(categoryWeights)
                if !interests.contains(category) { return category }
            }
        }
        for _ in 0..<options.interests { interests.append(newInterest()) }
        var behaviors: [(item: Int, category: Int)] = []
        var impressions: [Impression] = []
        while impressions.count < options.impressions {
            for place in interests.indices where random.unit() < options.drift { interests[place] = newInterest() }
            for _ in 0..<5 {
                let category = interests[Int(random.unit() * Double(interests.count))]
                behaviors.append((item(category, random), category))
            }
            for _ in 0..<2 where impressions.count < options.impressions {
                let near = random.unit() < 0.5
                let category =
                    near
                    ? interests[Int(random.unit() * Double(interests.count))]
                    : Int(random.unit() * Double(options.categories))
                let recent = behaviors.suffix(50)
                let share = Double(recent.count { $0.category == category }) / Double(recent.count)
                let logit = -1.6 + 3.5 * (1 - exp(-5 * share)) + bias[category]
                let probability = 1 / (1 + exp(-logit))
                impressions.append(
                    Impression(
                        history: max(0, behaviors.count - 50)..<behaviors.count, category: category,
                        item: item(category, random), probability: probability,
                        label: random.unit() < probability ? 1 : 0))
            }
        }
        return (behaviors, impressions)
    }

    private func item(_ category: Int, _ random: Draws) -> Int {
        category * itemsOfCategory + random.pick(itemWeights)
    }
}
