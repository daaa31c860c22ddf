import Telemetry
import Testing
import Wire

@Suite struct RefusalReasonTests {
    @Test("every reason of a refusal is one that Prometheus is told of, from 0 on")
    func reasons() {
        #expect(Refusal.Reason.allCases.map(\.rawValue).sorted() == Prometheus.refusalReasons)
    }
}
