import Telemetry
import Testing

@Suite struct WaitClockTests {
    private let start = ContinuousClock.now

    @Test("a wait is told once at five seconds, then whenever it has doubled")
    func doubling() {
        var clock = WaitClock(who: "worker 1")
        clock.note("values", "values of shard 0", at: start)
        var told: [Int] = []
        for second in 0...50 where !clock.lines(at: start + .seconds(second)).isEmpty { told.append(second) }
        #expect(told == [5, 10, 20, 40])
        clock.end("values")
        #expect(clock.reports(at: start + .seconds(60)).isEmpty)
        clock.note("values", "values of shard 1", at: start + .seconds(60))
        #expect(clock.lines(at: start + .seconds(66)) == ["worker 1 waits for values of shard 1 (6 s)"])
        #expect(clock.reports(at: start + .seconds(66)).first?.count == 2)
    }

    @Test("a wait that changes its name goes on, one that began at another time is another")
    func names() {
        var clock = WaitClock(who: "scheduler")
        clock.note("join", "worker 1, worker 2 to join", since: start, at: start)
        clock.note("join", "worker 2 to join", since: start, at: start + .seconds(4))
        #expect(clock.due(at: start + .seconds(5)) == [WaitReport(name: "worker 2 to join", seconds: 5, count: 1)])
        clock.note("join", "worker 2 to join", since: start + .seconds(6), at: start + .seconds(6))
        #expect(clock.reports(at: start + .seconds(7)) == [WaitReport(name: "worker 2 to join", seconds: 1, count: 2)])
    }

    @Test("a late look tells the wait once, and the longest comes first")
    func late() {
        var clock = WaitClock(who: "scheduler")
        clock.note("b", "short", at: start + .seconds(20))
        clock.note("a", "long", at: start)
        #expect(clock.due(at: start + .seconds(33)).map(\.name) == ["long", "short"])
        #expect(clock.due(at: start + .seconds(34)).isEmpty)
    }
}
