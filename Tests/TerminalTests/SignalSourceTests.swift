import Dispatch
import Foundation
import Testing

@testable import Display

@Suite(.serialized) struct SignalSourceTests {
    @Test("a signal that comes right after somebody listens is heard")
    func heard() throws {
        // Nothing else in these tests has a use for it.
        let number = SIGURG
        for round in 0..<200 {
            let isHeard = DispatchSemaphore(value: 0)
            let source = SignalSource.make(number) { isHeard.signal() }
            kill(getpid(), number)
            try #require(isHeard.wait(timeout: .now() + 30) == .success, "round \(round)")
            source.cancel()
        }
    }
}
