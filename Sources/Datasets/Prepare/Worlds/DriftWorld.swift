import Foundation

/// A world where interests move on, and the newest behaviors tell where to: DIEN was made for it.
///
/// Categories stand in rings of four: after category c comes π(c), the next of its ring. A user's interest is a category.
/// Before each behavior it moves on to π with probability 0.3, and when a session begins it jumps anywhere with
/// probability 0.15; the behavior is of the interest, or with probability 0.1 of any category. A session has 3 to 6
/// behaviors, a history the newest 5 sessions, and an impression follows every session: four candidates, half of them
/// from the ring of the interest, a quarter from the history, a quarter from anywhere. With weights wₜ ∝ 0.7^(L−1−t)
/// that sum to 1 over the history's L behaviors,
///
/// s(c) = Σₜ wₜ·[cₜ = c], f(c) = Σₜ wₜ·[π(cₜ) = c],
/// p(click) = σ(−3 + 3·s(c) + 5·f(c))
///
/// so that candidates are clicked that the newest behaviors hold, or more so, lead to. In 20 behaviors an interest goes
/// round its ring more than once: how often a category occurs tells little of when.
struct DriftWorld: World {
    static let ring = 4
    private let options: WorldOptions
    private let shelves: Shelves

    init(_ options: WorldOptions) throws {
        guard options.categories.isMultiple(of: Self.ring) else {
            throw PrepareError.option("categories", "is \(options.categories); rings need a multiple of \(Self.ring)")
        }
        (self.options, shelves) = (options, Shelves(options))
    }

    /// π: the category that comes next.
    static func next(_ category: Int) -> Int { category - category % ring + (category + 1) % ring }

    /// p(click) after a history of these categories.
    static func probability(of category: Int, after history: [Int]) -> Double {
        var (same, led, all) = (0.0, 0.0, 0.0)
        var weight = 1.0
        for past in history.reversed() {
            if past == category { same += weight }
            if next(past) == category { led += weight }
            all += weight
            weight *= 0.7
        }
        return logistic(-3 + 3 * same / all + 5 * led / all)
    }

    func life(of user: Int, _ draws: Draws) -> Life {
        var life = Life()
        var clock = Clock()
        var interest = draws.whole(0..<options.categories)
        var sessions: [Int] = []
        var left = options.impressions
        while left > 0 {
            clock.nextSession(draws)
            sessions.append(life.behaviors.count)
            if draws.unit() < 0.15 { interest = draws.whole(0..<options.categories) }
            for _ in 0..<draws.whole(3..<7) {
                if draws.unit() < 0.3 { interest = Self.next(interest) }
                let category = draws.unit() < 0.1 ? draws.whole(0..<options.categories) : interest
                life.behaviors.append(shelves.behavior(category, at: clock.now, draws))
                clock.nextEvent(draws)
            }
            let history = sessions[max(0, sessions.count - 5)]..<life.behaviors.count
            let past = life.behaviors[history].map(\.category)
            let candidates = (0..<min(4, left)).map { _ in candidate(interest, past, draws) }
            left -= candidates.count
            life.visits.append(.init(history: history, time: clock.now, candidates: candidates))
        }
        return life
    }

    private func candidate(_ interest: Int, _ past: [Int], _ draws: Draws) -> Life.Candidate {
        let kind = draws.unit()
        let category =
            kind < 0.5
            ? interest - interest % Self.ring + draws.whole(0..<Self.ring)
            : kind < 0.75 ? past[draws.whole(0..<past.count)] : draws.whole(0..<options.categories)
        return shelves.candidate(category, Self.probability(of: category, after: past), draws)
    }
}
