import ArgumentParser
import Foundation

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run whole clusters under simulated time and a hostile network, each from a seed.",
        discussion: """
            Scheduler, servers and workers are the real state machines; their network delays, loses, doubles and \
            replays messages and cuts connections, processes are stopped, disks are full, strangers talk. Every run \
            has to end in the bits of the undisturbed one. A seed that does not is printed, and replays.

            Examples:
              myriad simulate
              myriad simulate --seeds 10000
              myriad simulate --first 4711 --seeds 1
            """)

    @Option(help: "How many seeds.")
    var seeds = 1000

    @Option(help: "The first seed.")
    var first = 0

    func validate() throws {
        try Bounds.check("--seeds", seeds, 1...100_000_000)
        guard first >= 0, first < Int.max - seeds else { throw ValidationError("--first is 0 or more") }
    }

    func run() throws {
        let simulator = try Simulator()
        let (began, work) = (ContinuousClock.now, SlowWork())
        var (failures, steps, seconds, events) = (0, 0, 0.0, 0)
        for seed in first..<first + seeds {
            let verdict = simulator.run(seed: UInt64(seed))
            steps += verdict.step
            seconds += verdict.seconds
            events += verdict.events
            if let problem = verdict.problem {
                failures += 1
                print("seed \(seed): \(problem)")
                print("  \(verdict.scenario)")
                print("  replay with: myriad simulate --first \(seed) --seeds 1")
            }
            work.begin("\(seed - first + 1) of \(seeds) seeds, \(failures) failures")
        }
        let real = began.duration(to: .now) / .seconds(1)
        let rates = String(format: "%.0f simulated seconds, %d events, in %.1f s", seconds, events, real)
        print("\(seeds) seeds, \(failures) failures, \(steps) steps, \(rates)")
        if failures > 0 { throw ExitCode.failure }
    }
}
