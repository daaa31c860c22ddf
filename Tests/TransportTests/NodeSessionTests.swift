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
    func joins() throws {
        var node = session()
        #expect(kinds(node.tick(at: start)) == [.hello])
        #expect(node.tick(at: start + .milliseconds(900)).isEmpty)
        #expect(kinds(node.tick(at: start + .seconds(1))) == [.hello])
        let now = start + .seconds(1)
        let taken = try (0..<2).map { _ in try node.receive(welcome(silence: 40), limits: limits, at: now) != nil }
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
    func paused() throws {
        var node = session()
        _ = try node.receive(welcome(silence: 12), limits: limits, at: start)
        _ = node.tick(at: start)
        let later = start + .seconds(600)
        _ = node.tick(at: later)
        #expect(!node.isLost(at: later))
    }

    @Test("a message is sent again until it is acknowledged; who is of another job, role or rank is not heard")
    func repeats() throws {
        var node = session()
        _ = try node.receive(welcome(silence: 40), limits: limits, at: start)
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
            let taken = try node.receive(beat.with(ControlNumbers(acknowledged: 1)), limits: limits, at: start)
            #expect((taken != nil) == isHeard)
        }
        #expect(node.isSettled)
    }

    @Test("what is numbered and cannot be read ends the node: dropped, it would be waited for for ever")
    func unreadable() throws {
        for rank in [-1, 65_536] {
            var node = session()
            #expect(throws: WireError.self) {
                try node.receive(welcome(silence: 1, rank: rank), limits: limits, at: start)
            }
        }
        var node = session()
        _ = try node.receive(welcome(silence: 40), limits: limits, at: start)
        let path = Control.snapshot(SnapshotRequest(step: 4, directory: "a\u{7}", final: true)).message(scheduler)
        #expect(throws: WireError.self) {
            try node.receive(path.with(ControlNumbers(number: 2)), limits: limits, at: start)
        }
        // What is not numbered comes again by itself, and what another one says is nothing to this node.
        let beat = Control.heartbeat(Heartbeat(step: -1, state: "")).message(scheduler)
        var other = scheduler
        other.job = 10
        let foreign = Control.snapshot(SnapshotRequest(step: -1, directory: "a", final: true)).message(other)
        for message in [beat, foreign] {
            let taken = try node.receive(message, limits: limits, at: start)
            #expect(taken == nil)
        }
    }
}
