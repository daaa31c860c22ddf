import Foundation

/// A world where a session's theme decides, and the counts of a history say nothing: DSIN was made for it.
///
/// Every visit has a history of its own: K sessions, 3 to 5 of them. Each has a theme, a category that no other session
/// has: K of its behaviors are of the theme, and two are strays, one of each of two categories, the same two in all
/// sessions; their order is drawn. So a history holds K behaviors of each of K + 2 categories, and a bag of them does
/// not tell a theme from a stray. An impression shows four candidates: half are themes, three in ten strays, the others
/// of categories that the history lacks. For the theme of session k (0 the oldest)
///
/// p(click) = σ(−2 + 5·0.8^(K−1−k)), and σ(−2) for what is no theme.
struct SessionsWorld: World {
    static let strays = 2
    private let options: WorldOptions
    private let shelves: Shelves

    init(_ options: WorldOptions) { (self.options, shelves) = (options, Shelves(options)) }

    /// p(click) for the theme of the session that `later` sessions follow; nil for no theme.
    static func probability(later: Int?) -> Double { logistic(-2 + (later.map { 5 * pow(0.8, Double($0)) } ?? 0)) }

    func life(of user: Int, _ draws: Draws) -> Life {
        var life = Life()
        var clock = Clock()
        var left = options.impressions
        while left > 0 {
            let count = draws.whole(3..<6)
            let drawn = draws.shuffled(0..<options.categories)
            let strays = drawn[count..<count + Self.strays]
            let begin = life.behaviors.count
            for theme in drawn[..<count] {
                clock.nextSession(draws)
                for category in draws.shuffled(Array(repeating: theme, count: count) + strays) {
                    life.behaviors.append(shelves.behavior(category, at: clock.now, draws))
                    clock.nextEvent(draws)
                }
            }
            let candidates = (0..<min(4, left)).map { _ in candidate(drawn, sessions: count, draws) }
            left -= candidates.count
            life.visits.append(
                .init(history: begin..<life.behaviors.count, time: clock.now, candidates: candidates))
        }
        return life
    }

    private func candidate(_ drawn: [Int], sessions: Int, _ draws: Draws) -> Life.Candidate {
        let kind = draws.unit()
        let place = draws.whole(
            kind < 0.5
                ? 0..<sessions
                : kind < 0.8 ? sessions..<sessions + Self.strays : sessions + Self.strays..<options.categories)
        let probability = Self.probability(later: place < sessions ? sessions - 1 - place : nil)
        return shelves.candidate(drawn[place], probability, draws)
    }
}
