import Foundation
import Telemetry
import Testing
import Transport
import Wire

@Suite struct OnlookerTests {
    /// Bytes of a process in memory.
    private func memory(of process: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    @Test("tens of thousands of questions that nobody waits for stop no heartbeat and take no memory")
    func flood() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "cluster.workers=1", "cluster.silence=4"]
                + FaultyCluster.endless)
        try cluster.start(["server", "--scheduler", endpoint, "--checkpoints", "run/checkpoints"])
        try cluster.start(["worker", "--scheduler", endpoint])
        try #require(Local.wait { !cluster.lines("progress").isEmpty }, "\(cluster.errors(of: scheduler))")
        let before = memory(of: cluster.pid(of: scheduler))
        let context = try Context()
        let sockets = try (0..<4).map { _ in try Socket.connect(to: endpoint, in: context) }
        let header = Header(.inspect, role: .monitor, rank: 0, incarnation: 9, job: 0, epoch: 0)
        var sent = 0
        let deadline = ContinuousClock.now + .seconds(60)
        while sent < 40_000, .now < deadline {
            for socket in sockets {
                let wish = Inspect(seriesSince: sent % 3 == 0 ? Double(sent) : nil)
                if socket.send(Control.inspect(wish).message(header)) { sent += 1 }
            }
        }
        #expect(sent >= 40_000)
        // It still decides, trains, and answers whoever waits.
        let steps = cluster.lines("progress").count
        #expect(Local.wait { cluster.lines("progress").count > steps + 2 })
        let status = try cluster.program.run("status", endpoint, "-o", "json")
        #expect(status.code == 0 && status.output.contains("\"running\""), "\(status.errors)")
        #expect(memory(of: cluster.pid(of: scheduler)) - before < 64 << 20)
        #expect(cluster.lines("lost").isEmpty && cluster.lines("failed").isEmpty)
        kill(cluster.pid(of: scheduler), SIGTERM)
        #expect(cluster.end(of: scheduler) == 143)
    }
}
