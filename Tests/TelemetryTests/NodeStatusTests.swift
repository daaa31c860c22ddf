import Foundation
import Testing

@testable import Telemetry

@Suite struct NodeStatusTests {
    @Test("a node is written and read again as it was", arguments: NodeStatus.State.allCases)
    func roundTrip(_ state: NodeStatus.State) throws {
        var node = NodeStatus()
        (node.role, node.rank, node.state, node.host, node.address) = ("worker", 3, state, "b", "10.0.0.7")
        (node.pid, node.endpoints, node.incarnation, node.step) = (812, ["tcp://10.0.0.7:5"], 2, 17)
        (node.activity, node.silentSeconds, node.clockSkewSeconds, node.cores) = ("waits", 0.5, -0.25, 1.5)
        (node.process.peakBytes, node.warnings) = (1 << 20, 4)
        #expect(try TelemetryJSON.decode(NodeStatus.self, from: TelemetryJSON.encode(node)) == node)
    }

    @Test("a node of version 1 of the layout can still be read")
    func versionOne() throws {
        let process = String(decoding: try TelemetryJSON.encode(ProcessReport()), as: UTF8.self)
        func old(_ state: String) throws -> NodeStatus {
            let text = """
                {"role":"server","rank":1,"state":"\(state)","host":"a","pid":7,"endpoints":[],"incarnation":3735928559,\
                "step":50,"activity":"","silent_seconds":0,"cores":0,"process":\(process),"warnings":0}
                """
            return try TelemetryJSON.decode(NodeStatus.self, from: Data(text.utf8))
        }
        let node = try old("finished")
        #expect(node.state == .done && node.address.isEmpty && node.incarnation == 1 && node.step == 50)
        #expect(try old("waiting").incarnation == 0)
        #expect(throws: DecodingError.self) { try old("asleep") }
    }
}
