import Foundation
import Telemetry
import Testing
import Wire

@testable import myriad

@Suite struct ExaminationTests {
    private func row(_ who: String, _ speeds: [(Double?, Double?, Double?)]) -> SpeedMatrix.Row {
        SpeedMatrix.Row(
            who: who, host: "h-\(who)",
            paths: speeds.enumerated().map { shard, speed in
                var path = PathSpeed(shard: shard, endpoint: "tcp://s\(shard):7000")
                (path.sentMegabytesPerSecond, path.receivedMegabytesPerSecond, path.roundTripMicroseconds) = speed
                return path
            })
    }

    @Test("ways of like speed pass, and the matrix has a line for everybody who measured")
    func even() {
        var matrix = SpeedMatrix()
        matrix.rows = [
            row("doctor", [(110, 90, 80), (100, 95, 12_345)]), row("worker 0", [(120, 99, 70), (40, 95, 70)]),
        ]
        #expect(matrix.findings.map(\.verdict) == [.pass], "\(matrix.findings)")
        #expect(matrix.suspects.isEmpty)
        let lines = matrix.lines.map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("doctor 110 / 90, 80 µs 100 / 95, 12 ms"), "\(lines)")
        #expect(lines.contains("worker 0 120 / 99, 70 µs 40 / 95, 70 µs"), "\(lines)")
    }

    @Test("a way at less than a third of the median is named with both ends, until a second look is better")
    func slow() throws {
        var matrix = SpeedMatrix()
        matrix.rows = [row("worker 0", [(110, 90, 80), (100, 95, 80)]), row("worker 1", [(30, 99, 70), (90, 9, 70)])]
        let found = matrix.findings
        #expect(found.map(\.verdict) == [.warn, .warn] && matrix.suspects == ["worker 1"])
        #expect(found[0].check == "worker 1")
        #expect(found[0].found == "30 MB/s to shard 0 (h-worker 1, tcp://s0:7000), but 95 MB/s is the median")
        #expect(found[1].found.hasPrefix("9.0 MB/s from shard 1 (") && !found[1].remedy.isEmpty)
        matrix.take(row("worker 1", [(100, 5, 90), (20, 80, nil)]))
        #expect(matrix.rows.count == 2 && matrix.findings.map(\.verdict) == [.pass], "\(matrix.findings)")
        let path = matrix.rows[1].paths[0]
        #expect(path.sentMegabytesPerSecond == 100 && path.receivedMegabytesPerSecond == 99)
        #expect(path.roundTripMicroseconds == 70)
    }

    @Test("a shard that does not answer fails with who asked and where, a worker that did not measure with why")
    func failing() {
        var matrix = SpeedMatrix()
        var mute = SpeedMatrix.Row(who: "worker 1", host: "far")
        mute.problem = "another probe is under way"
        matrix.rows = [row("worker 0", [(110, 90, 80), (nil, nil, nil)]), mute]
        let found = matrix.findings
        #expect(found.map(\.verdict) == [.fail, .fail])
        #expect(found[0].found == "on far did not measure: another probe is under way")
        #expect(found[1].check == "shard 1" && found[1].found == "tcp://s1:7000 does not answer worker 0 on h-worker 0")
        #expect(found.allSatisfy { !$0.remedy.isEmpty })
        #expect(matrix.lines.contains { $0.hasPrefix("worker 0") && $0.hasSuffix("no answer") }, "\(matrix.lines)")
    }

    @Test("a node's clock more than half a second away is named with its host")
    func skew() {
        var status = ClusterStatus()
        for (role, rank, seconds) in [("scheduler", 0, nil), ("server", 0, -0.4), ("worker", 3, 3.0)] {
            var node = NodeStatus()
            (node.role, node.rank, node.host, node.clockSkewSeconds) = (role, rank, "h\(rank)", seconds)
            status.nodes.append(node)
        }
        let found = ClusterExamination.skews(status)
        #expect(found.map(\.verdict) == [.warn])
        #expect(found.first?.found == "the clock of worker 3 on h3 is 3.0 s ahead of the scheduler's")
        #expect(found.first?.remedy.contains("on h3") == true)
        status.nodes[2].clockSkewSeconds = -0.9
        #expect(ClusterExamination.skews(status).first?.found.hasSuffix("is 0.9 s behind the scheduler's") == true)
        status.nodes[2].clockSkewSeconds = 0.01
        #expect(ClusterExamination.skews(status).map(\.verdict) == [.pass])
        #expect(ClusterExamination.skews(ClusterStatus()).isEmpty)
    }
}
