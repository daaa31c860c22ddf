import Telemetry
import Testing
import Transport
import Wire

@testable import Scheduler

/// Processes that come and go before the job has started: who takes whose place, and how often each was started.
@Suite struct RejoinTests {
    /// What the system says of processes, by number; one that is not named is on another machine.
    private final class System {
        var states: [Int: ProcessState] = [:]
    }

    /// A gathering scheduler of one server and two workers.
    private struct Gathering {
        let system = System()
        var loop: SchedulerLoop
        var now = ContinuousClock.now

        init(attempt: Int = 1) {
            let plan = JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .never)
            let options = SchedulerOptions(
                job: 5, servers: 1, shardsPerServer: 1, workers: 2, config: "", plan: plan, splits: [:],
                validation: nil, test: nil, checkpoints: nil, attempt: attempt)
            loop = SchedulerLoop(options, at: now) { [system] in system.states[$0.pid] ?? .unknown }
        }

        /// A process says hello over the connection of its own number.
        @discardableResult
        mutating func hello(
            _ role: Role, _ rank: Int?, pid: Int, over connection: UInt8? = nil, from peer: String = ""
        ) -> SchedulerLoop.Effects {
            var effects = SchedulerLoop.Effects()
            let hello = Hello(
                role: role, wantedRank: rank, endpoints: role == .server ? ["inproc://s"] : [], host: "h", pid: pid,
                processor: "p", blas: "b", version: "1")
            let header = Header(.hello, role: role, rank: 0, incarnation: UInt32(pid), job: 0, epoch: 0)
            loop.now = now
            loop.receive(
                Control.hello(hello).message(header), from: [connection ?? UInt8(pid)], peer: .init(address: peer))
            effects.take(from: &loop)
            return effects
        }

        mutating func tick() -> SchedulerLoop.Effects {
            var effects = SchedulerLoop.Effects()
            loop.now = now
            loop.tick()
            effects.take(from: &loop)
            return effects
        }

        mutating func pulse(_ role: Role, _ rank: Int) throws -> MemberPulse {
            loop.now = now
            guard case .pulse(let members, _, _) = loop.pulse else { throw CancellationError() }
            return try #require(members.first { $0.member == Member(role: role, rank: rank) })
        }
    }

    @Test("strangers without end are told of a hundred times, then counted; of those who want a place so many wait")
    func withoutEnd() throws {
        var cluster = Gathering()
        for (role, rank) in [(Role.server, 0), (.worker, 0)] { cluster.hello(role, rank, pid: rank + 1) }
        let warnings = (0..<1000).map { number in
            cluster.now += .milliseconds(1)
            return cluster.hello(.server, 7, pid: 100 + number, over: 99).events.count {
                if case .warning = $0 { true } else { false }
            }
        }
        #expect(warnings.reduce(0, +) == SchedulerLoop.mostRefusals + 1)
        guard case .pulse(_, _, let turnedAway) = cluster.loop.pulse else { throw CancellationError() }
        #expect(turnedAway["refused"] == 1000)
        // Whether worker 0 still lives shows later: meanwhile they wait.
        for number in 0..<200 { cluster.hello(.worker, 0, pid: 5000 + number, over: UInt8(number)) }
        #expect((1...64).contains(cluster.loop.members.entries[Member(role: .worker, rank: 0)]?.rivals.count ?? 0))
    }

    @Test("a process takes the place of one that is gone, and is its second start")
    func replaces() throws {
        var cluster = Gathering()
        cluster.system.states = [40: .state("S"), 41: .state("S")]
        cluster.hello(.worker, 1, pid: 40, from: "10.0.0.4")
        #expect(try cluster.pulse(.worker, 1).starts == 1 && cluster.pulse(.worker, 1).address == "10.0.0.4")
        cluster.system.states[40] = .gone
        #expect(try cluster.pulse(.worker, 1).isLost)
        let effects = cluster.hello(.worker, 1, pid: 41, from: "10.0.0.5")
        #expect(effects.restarts == ["worker 1 restarted: process 41 takes the place of 40"])
        #expect(effects.refusals.isEmpty && effects.joins == 0)
        let pulse = try cluster.pulse(.worker, 1)
        #expect(pulse.starts == 2 && pulse.address == "10.0.0.5" && pulse.hello.pid == 41 && !pulse.isLost)
        // The welcome goes to the one that lives.
        cluster.hello(.worker, 0, pid: 50)
        #expect(cluster.hello(.server, 0, pid: 51).welcomed == [[51], [50], [41]])
    }

    @Test("one that is alive keeps its place, and the other is told who has it")
    func keeps() throws {
        var cluster = Gathering()
        cluster.system.states = [40: .state("S")]
        cluster.hello(.worker, 1, pid: 40)
        #expect(
            cluster.hello(.worker, 1, pid: 41).refusals == [
                "the scheduler refused: worker 1 has joined already, from h, process 40"
            ])
        #expect(try cluster.pulse(.worker, 1).starts == 1)
    }

    @Test("of a process that cannot be looked at, silence tells within 5 s, and until then nobody is refused")
    func silence() throws {
        var cluster = Gathering()
        cluster.hello(.worker, 1, pid: 40)
        cluster.now += .seconds(1)
        for _ in 0..<4 {
            let effects = cluster.hello(.worker, 1, pid: 41)
            #expect(effects.actions.isEmpty && effects.events.isEmpty)
            cluster.now += .seconds(1)
        }
        cluster.now += .milliseconds(1)
        #expect(cluster.hello(.worker, 1, pid: 41).restarts.count == 1)
        #expect(try cluster.pulse(.worker, 1).starts == 2)
        // Should the first one live all the same, it is the one too many now.
        cluster.now += .seconds(1)
        #expect(cluster.hello(.worker, 1, pid: 40).refusals.isEmpty)
        cluster.now += .milliseconds(10)
        cluster.hello(.worker, 1, pid: 41)
        #expect(
            cluster.hello(.worker, 1, pid: 40).refusals == [
                "the scheduler refused: worker 1 has joined already, from h, process 41"
            ])
    }

    @Test("one that says hello lives, whatever the system says of its number")
    func otherNamespace() throws {
        var cluster = Gathering()
        cluster.system.states = [40: .state("S")]
        cluster.hello(.worker, 1, pid: 40)
        cluster.system.states[40] = .gone
        #expect(try cluster.pulse(.worker, 1).isLost)
        cluster.now += .seconds(1)
        cluster.hello(.worker, 1, pid: 40)
        #expect(try !cluster.pulse(.worker, 1).isLost)
        cluster.hello(.worker, 0, pid: 50)
        #expect(cluster.hello(.server, 0, pid: 51).welcomed.count == 3)
    }

    @Test("a process of another machine that is heard of again keeps its place")
    func heardAgain() {
        var cluster = Gathering()
        cluster.hello(.worker, 1, pid: 40)
        cluster.now += .seconds(1)
        #expect(cluster.hello(.worker, 1, pid: 41).refusals.isEmpty)
        cluster.now += .milliseconds(100)
        cluster.hello(.worker, 1, pid: 40)
        #expect(cluster.hello(.worker, 1, pid: 41).refusals.count == 1)
    }

    @Test("one that wants no rank takes the lowest that has nobody who lives")
    func anyRank() throws {
        var cluster = Gathering()
        cluster.system.states = [40: .state("S"), 41: .state("S"), 42: .state("S")]
        cluster.hello(.worker, nil, pid: 40)
        cluster.system.states[40] = .gone
        #expect(cluster.hello(.worker, nil, pid: 41).restarts.count == 1)
        #expect(cluster.hello(.worker, nil, pid: 42).joins == 1)
        #expect(try cluster.pulse(.worker, 0).hello.pid == 41 && cluster.pulse(.worker, 1).hello.pid == 42)
        #expect(cluster.hello(.worker, nil, pid: 43).refusals.first?.contains("all 2 workers have joined") == true)
    }

    @Test("the job does not start with one that is gone: it names it and waits for the next")
    func waitsForTheNext() throws {
        var cluster = Gathering()
        cluster.system.states = [40: .state("S"), 50: .state("S"), 51: .state("S"), 41: .state("S")]
        cluster.hello(.worker, 0, pid: 40)
        cluster.hello(.worker, 1, pid: 50)
        cluster.system.states[40] = .gone
        #expect(cluster.hello(.server, 0, pid: 51).welcomed.isEmpty)
        _ = cluster.tick()
        #expect(
            cluster.loop.waits.reports(at: cluster.now).map(\.name) == [
                "worker 1 of 2 (process 40 of h is gone) to join"
            ])
        #expect(cluster.hello(.worker, 0, pid: 41).welcomed == [[51], [41], [50]])
        // After the start nobody takes a place: a death ends the job.
        cluster.system.states[50] = .gone
        #expect(cluster.hello(.worker, 1, pid: 60).refusals.count == 1)
    }

    @Test("the job starts when the one that was silent is heard of again")
    func startsWhenHeard() {
        var cluster = Gathering()
        cluster.hello(.worker, 0, pid: 40)
        cluster.now += .seconds(6)
        cluster.hello(.worker, 1, pid: 50)
        #expect(cluster.hello(.server, 0, pid: 51).welcomed.isEmpty && cluster.tick().welcomed.isEmpty)
        #expect(cluster.hello(.worker, 0, pid: 40).welcomed.count == 3)
    }

    @Test("a hello that is repeated, also over a new connection, joins nobody twice")
    func repeated() throws {
        var cluster = Gathering()
        #expect(cluster.hello(.worker, 1, pid: 40).joins == 1)
        #expect(cluster.hello(.worker, 1, pid: 40).events.isEmpty)
        let again = cluster.hello(.worker, 1, pid: 40, over: 99, from: "10.0.0.9")
        // It hears for whom it waits, and nothing else.
        #expect(again.events.isEmpty && again.welcomed.isEmpty && again.actions.count == 1)
        #expect(try cluster.pulse(.worker, 1).starts == 1 && cluster.pulse(.worker, 1).address == "10.0.0.9")
        cluster.hello(.worker, 0, pid: 50)
        #expect(cluster.hello(.server, 0, pid: 51).welcomed == [[51], [50], [99]])
    }

    @Test("a job that is continued counts on")
    func attempt() throws {
        var cluster = Gathering(attempt: 3)
        cluster.system.states = [40: .state("S"), 41: .state("S")]
        cluster.hello(.worker, 1, pid: 40)
        #expect(try cluster.pulse(.worker, 1).starts == 3)
        cluster.system.states[40] = .gone
        cluster.hello(.worker, 1, pid: 41)
        #expect(try cluster.pulse(.worker, 1).starts == 4)
    }
}

extension SchedulerLoop.Effects {
    fileprivate var restarts: [String] {
        events.compactMap { if case .restarted(_, _, let how) = $0 { how } else { nil } }
    }
    fileprivate var joins: Int { events.count { if case .joined = $0 { true } else { false } } }
    fileprivate var refusals: [String] {
        actions.compactMap { if case .send(_, .stop(let stop), _) = $0 { stop.reason } else { nil } }
    }
    fileprivate var welcomed: [[UInt8]] {
        actions.compactMap { if case .send(let connection, .welcome, _) = $0 { connection } else { nil } }
    }
}
