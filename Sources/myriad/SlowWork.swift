import Foundation
import Synchronization
import Telemetry

/// Says every two seconds what is being done, so that nobody takes long work for a hang; quick work says nothing.
final class SlowWork: Sendable {
    private let what = Mutex("")

    init() {
        Want.thread("slow work") { [weak self] in
            Thread.sleep(forTimeInterval: 2)
            while let what = self?.what.withLock({ $0 }) {
                if !what.isEmpty { StandardError.line(what) }
                Thread.sleep(forTimeInterval: 2)
            }
        }
    }

    /// What is done from now on.
    func begin(_ what: String) { self.what.withLock { $0 = what } }
}
