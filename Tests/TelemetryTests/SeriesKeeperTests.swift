import Testing

@testable import Telemetry

@Suite struct SeriesKeeperTests {
    private func point(_ time: Double) -> SeriesPoint {
        SeriesPoint(
            time: time, step: Int(time), samplesPerSecond: 1, loss: nil, auc: nil, rows: 0, receivedBytesPerSecond: 0,
            sentBytesPerSecond: 0, read: 0, wait: 0, compute: 0, push: 0)
    }

    @Test("two days of seconds: a second apart in the last hour, ten in the day before, nothing older")
    func days() {
        let began = 1_800_000_000.0
        var keeper = SeriesKeeper()
        var most = 0
        let seconds = 2 * 86400
        for second in 0..<seconds {
            keeper.add(point(began + Double(second)))
            most = max(most, keeper.points.count)
        }
        let points = keeper.points
        let end = began + Double(seconds - 1)
        #expect(points.last?.time == end)
        let gaps = zip(points, points.dropFirst()).map { (before: $0.time, gap: $1.time - $0.time) }
        // Ascending, and nowhere coarser than it says.
        #expect(gaps.allSatisfy { $0.gap > 0 })
        let fine = gaps.filter { $0.before > end - 3600 }
        #expect(fine.count == 3599 && fine.allSatisfy { $0.gap == 1 })
        let coarse = gaps.filter { $0.before <= end - 3610 }
        #expect(coarse.allSatisfy { $0.gap == 10 })
        #expect((8639...8641).contains(points.count - 3600))
        #expect(points[0].time > end - 25 * 3600 && points[0].time <= end - 25 * 3600 + 10)
        #expect(most <= 3600 + 8641)
    }

    @Test("ten seconds stay ten when the pulses of the clock jitter")
    func jitter() {
        var keeper = SeriesKeeper()
        for second in 0..<20000 { keeper.add(point(Double(second) + (second % 3 == 0 ? 0.02 : 0) + 1)) }
        let old = keeper.points.filter { $0.time < 16000 }
        let gaps = zip(old, old.dropFirst()).map { $1.time - $0.time }
        #expect(gaps.allSatisfy { abs($0 - 10) < 0.03 })
    }

    @Test("a clock that is set back, and pauses, leave it bounded and the newest there")
    func clocks() {
        var keeper = SeriesKeeper()
        for second in 0..<10000 { keeper.add(point(1e6 + Double(second))) }
        for second in 0..<10000 { keeper.add(point(5e5 + Double(second))) }
        #expect(keeper.points.count <= 3600 + 8641)
        #expect(keeper.points.suffix(3600).map(\.time) == (6400..<10000).map { 5e5 + Double($0) })
        // After a pause of two days only what is new is left.
        keeper.add(point(2e6))
        #expect(keeper.points.map(\.time) == [2e6])
    }

    @Test("the record of a run that has ended stays whole until something is added")
    func record() {
        let all = (0..<200_000).map { point(Double($0)) }
        let board = StatusBoard(status: ClusterStatus(), series: all)
        #expect(board.series(since: -1).count == 200_000)
        board.publish(ClusterStatus(), point: point(200_000))
        #expect(board.series(since: -1).count < 12_300)
        #expect(board.series(since: 199_998).map(\.step) == [199_999, 200_000])
    }
}
