import Testing
import Wire

@testable import Transport

@Suite struct NodeSessionTests {
    private let start = ContinuousClock.now
    private let limits = Limits()
    private let scheduler = Header(.welcome, role: .scheduler, rank: 0, incarnation: 1, job: 9, epoch: 1)

    private func session(silence: Duration = .seconds(12)) -> NodeSession {
        NodeSession(
            Hello(role: .worker, wantedRank: 70_000, host: "h", pid: 1, processor: "p", blas: "b", version: "1"),
            incarnation: 5, wait: .seconds(3), silence: silence, at: start)
    }

    private func kinds(_ messages: [Message]) -> [MessageKind] { messages.map(\.header.kind) }

    private func welcome(silence: Double, rank: Int = 3) -> Message {
        var welcome = Welcome(job: 9, rank: rank, epoch: 1, servers: [], workers: 4, config: "")
        welcome.silence = silence
        return Control.welcome(welcome).message(scheduler).with(ControlNumbers(number: 1))
    }

    @Test("it says hello until it is welcomed, takes the welcome once, and then lives as long as the job says")
    func joins() {
        var node = session()
        #expect(kinds(node.tick(at: start)) == [.hello])
        #expect(node.tick(at: start + .milliseconds(900)).isEmpty)
        #expect(kinds(node.tick(at: start + .seconds(1))) == [.hello])
        let now = start + .seconds(1)
        let taken = (0..<2).map { _ in node.receive(welcome(silence: 40), limits: limits, at: now) != nil }
        #expect(taken == [true, false])
        #expect(node.identity.rank == 3 && node.identity.job == 9 && node.isWelcome)
        var later = now
        for _ in 0..<39 {
            later += .seconds(1)
            #expect(kinds(node.tick(at: later)) == [.heartbeat])
            #expect(!node.isLost(at: later))
        }
        later += .seconds(2)
        _ = node.tick(at: later)
        #expect(node.isLost(at: later))
    }

    @Test("a process that was stopped itself does not take the scheduler for silent")
    func paused() {
        var node = session()
        _ = node.receive(welcome(silence: 12), limits: limits, at: start)
        _ = node.tick(at: start)
        let later = start + .seconds(600)
        _ = node.tick(at: later)
        #expect(!node.isLost(at: later))
    }

    @Test("a message is sent again until it is acknowledged; who is of another job, role or rank is not heard")
    func repeats() {
        var node = session()
        for rank in [-1, 65_536] {
            let taken = node.receive(welcome(silence: 1, rank: rank), limits: limits, at: start)
            #expect(taken == nil)
            node = session()
        }
        node = session()
        _ = node.receive(welcome(silence: 40), limits: limits, at: start)
        let sent = node.send(.reached(Reached(step: 4)), at: start)
        #expect(sent.header.request == 1 && sent.header.rank == 3 && !node.isSettled)
        let again = node.tick(at: start + .seconds(1)).filter { $0.header.kind == .reached }
        #expect(again.count == 1 && again[0].header.request == 1)
        var (otherJob, otherRole) = (scheduler, scheduler)
        otherJob.job = 10
        otherRole.role = .worker
        for (sender, isHeard) in [(otherJob, false), (otherRole, false), (scheduler, true)] {
            let beat = Control.heartbeat(Heartbeat(step: 0, state: "")).message(sender)
            #expect(!node.isSettled)
            let taken = node.receive(beat.with(ControlNumbers(acknowledged: 1)), limits: limits, at: start)
            #expect((taken != nil) == isHeard)
        }
        #expect(node.isSettled)
    }
}
