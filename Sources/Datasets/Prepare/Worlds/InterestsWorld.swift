import Foundation

/// A world where it counts how many behaviors are like the target: DIN was made for it.
///
/// A user holds a few interests (categories, drawn by Zipf's law) and drifts: after a session each is replaced with
/// probability `drift`. A session is five behaviors, each an item (again by Zipf) of one of the interests. Every session
/// is followed by impressions of one candidate: half of them from the interests, half from anywhere. With f the share of
/// the newest 50 behaviors that are of the candidate's category and b a constant of that category,
///
/// p(click) = σ(−1.6 + 3.5·(1 − e^(−5·f)) + b)
///
/// so that only those behaviors count that are like the target, and how many they are. Time is the place of a behavior:
/// this world has no hours.
struct InterestsWorld: World {
    private let options: WorldOptions
    private let categoryWeights: [Double]
    private let shelves: Shelves
    private let bias: [Double]

    init(_ options: WorldOptions, seed: UInt64) throws {
        guard options.interests <= options.categories else {
            throw PrepareError.option("interests", "is more than there are categories (\(options.categories))")
        }
        self.options = options
        categoryWeights = zipf(options.categories, 0.7)
        shelves = Shelves(options)
        let random = Draws(seed: seed, stream: 0xffff_ffff)
        bias = (0..<options.categories).map { _ in 0.8 * (random.unit() - 0.5) }
    }

    var repeatsLives: Bool { true }

    func life(of user: Int, _ draws: Draws) -> Life {
        var interests: [Int] = []
        func newInterest() -> Int {
            while true {
                let category = draws.pick(categoryWeights)
                if !interests.contains(category) { return category }
            }
        }
        for _ in 0..<options.interests { interests.append(newInterest()) }
        var life = Life()
        while life.visits.count < options.impressions {
            for place in interests.indices where draws.unit() < options.drift { interests[place] = newInterest() }
            for _ in 0..<5 {
                let category = interests[draws.whole(0..<interests.count)]
                life.behaviors.append(shelves.behavior(category, at: Int64(life.behaviors.count), draws))
            }
            for _ in 0..<2 where life.visits.count < options.impressions {
                let near = draws.unit() < 0.5
                let category =
                    near ? interests[draws.whole(0..<interests.count)] : draws.whole(0..<options.categories)
                let history = max(0, life.behaviors.count - 50)..<life.behaviors.count
                let probability = probability(of: category, after: life.behaviors[history])
                let candidate = shelves.candidate(category, probability, draws)
                life.visits.append(
                    .init(history: history, time: Int64(history.upperBound), candidates: [candidate]))
            }
        }
        return life
    }

    private func probability(of category: Int, after recent: ArraySlice<Life.Behavior>) -> Double {
        let share = Double(recent.count { $0.category == category }) / Double(recent.count)
        return logistic(-1.6 + 3.5 * (1 - exp(-5 * share)) + bias[category])
    }
}
