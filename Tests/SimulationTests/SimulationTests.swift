import Testing

@testable import myriad

@Suite(.serialized) struct SimulationTests {
    #if DEBUG
        private static let seeds = 60
    #else
        private static let seeds = 1000
    #endif

    @Test("clusters of every shape, in every weather, end in the bits of the undisturbed run")
    func weather() throws {
        let simulator = try Simulator()
        for seed in 0..<UInt64(Self.seeds) {
            let verdict = simulator.run(seed: seed)
            #expect(
                verdict.problem == nil, "seed \(seed) (myriad simulate --first \(seed) --seeds 1): \(verdict.scenario)")
        }
    }

    @Test("a seed replays: the same events at the same times")
    func replays() throws {
        let simulator = try Simulator()
        for seed in 1000..<1010 as Range<UInt64> {
            let (first, second) = (simulator.run(seed: seed), simulator.run(seed: seed))
            #expect(first.trace == second.trace && first.step == second.step, "seed \(seed)")
        }
    }
}
