/// A world where the order of two behaviors decides, and the bag of behaviors says nothing.
///
/// A sixth of the categories, the first n, are asked for; each has two marker categories aₖ = n + 2k and bₖ = n + 2k + 1;
/// the others are noise. Every visit has a history of its own: 4 or 5 sessions of 2 to 4 behaviors, all noise except for
/// one a and one b of the candidate's category, at two places drawn uniformly. The user clicks
///
/// p(click) = 0.98 where a comes before b, 0.02 where it comes after.
///
/// Whatever does not change when a history is permuted is independent of the label: a model that pools its behaviors
/// (Base, DIN) has an AUC of 0.5, up to what it keeps in mind of single training samples. Most markers lie in different
/// sessions, about a fifth in the same one.
struct OrderWorld: World {
    private let options: WorldOptions
    private let shelves: Shelves

    init(_ options: WorldOptions) { (self.options, shelves) = (options, Shelves(options)) }

    func life(of user: Int, _ draws: Draws) -> Life {
        let pairs = options.categories / 6
        var life = Life()
        var clock = Clock()
        for _ in 0..<options.impressions {
            let sizes = (0..<draws.whole(4..<6)).map { _ in draws.whole(2..<5) }
            let count = sizes.reduce(0, +)
            var drawn = (0..<count).map { _ in draws.whole(3 * pairs..<options.categories) }
            let asked = draws.whole(0..<pairs)
            let first = draws.whole(0..<count)
            let second = (first + 1 + draws.whole(0..<count - 1)) % count
            drawn[first] = pairs + 2 * asked
            drawn[second] = pairs + 2 * asked + 1

            let begin = life.behaviors.count
            for size in sizes {
                clock.nextSession(draws)
                for _ in 0..<size {
                    let category = drawn[life.behaviors.count - begin]
                    life.behaviors.append(shelves.behavior(category, at: clock.now, draws))
                    clock.nextEvent(draws)
                }
            }
            let candidate = shelves.candidate(asked, first < second ? 0.98 : 0.02, draws)
            life.visits.append(
                .init(history: begin..<life.behaviors.count, time: clock.now, candidates: [candidate]))
        }
        return life
    }
}
