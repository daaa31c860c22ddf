import Foundation
import Telemetry
import Testing

/// A scheduler's process that stands still, and is the reason for all that follows.
@Suite struct StandstillTests {
    @Test("a launcher that was stopped itself says so, and blames no node")
    func standstill() throws {
        let cluster = try FaultyCluster()
        let launcher = try cluster.launch(["cluster.silence=4"])
        let children = Local.children(of: cluster.pid(of: launcher))
        #expect(children.count == 3)
        kill(cluster.pid(of: launcher), SIGSTOP)
        // Dead, but not waited for.
        #expect(Local.wait { !children.contains(where: Local.isAlive) })
        kill(cluster.pid(of: launcher), SIGCONT)
        #expect(cluster.end(of: launcher) == 70, "\(cluster.errors(of: launcher))")
        let report = try cluster.failure()
        #expect(report.first == "scheduler" && report.cause == .stopped, "\(report)")
        #expect(report.what.contains("the scheduler itself stood still for "), "\(report)")
    }
}
