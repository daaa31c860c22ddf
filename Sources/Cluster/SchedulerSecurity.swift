import Foundation
import Job
import Telemetry
package import Transport

/// How a scheduler is protected: its context, and whose keys it lets in.
package struct SchedulerSecurity {
    /// For all its sockets.
    package let context: Context
    /// Whose keys are let in; nil in plaintext.
    package let allowed: AllowList?

    /// How it protects what is said at an endpoint, for a person.
    package func words(for endpoint: Endpoint) -> String {
        allowed != nil ? "encrypted" : endpoint.isLocal ? "this machine only" : "PLAINTEXT"
    }

    /// Plaintext: within this machine, or beyond it where that was allowed.
    package init(isInsecure: Bool) throws {
        context = try Context(isInsecure: isInsecure)
        allowed = nil
    }

    /// Keys of a directory, and one made for this run, by which those who may read the run's directory may look at it.
    ///
    /// - Parameters:
    ///   - nodes: keys of nodes that are not in the list.
    ///   - run: where the key for looking is left, in `keys/`; nil to make none.
    package init(
        scheduler: KeyPair, list directory: KeyDirectory?, nodes: [PublicKey] = [], run: RunDirectory?
    ) throws {
        context = try Context(identity: scheduler)
        var own = nodes.map { KeyDirectory.Grant(key: $0, role: .node, name: "launched") }
        if let run {
            let monitor = try KeyPair()
            let keys = KeyDirectory(run.path + "/keys")
            try? FileManager.default.removeItem(atPath: keys.path)
            try keys.create(monitor, scheduler: scheduler.publicKey)
            own.append(KeyDirectory.Grant(key: monitor.publicKey, role: .monitor, name: "run"))
        }
        allowed = try AllowList(directory, own: own) { StandardError.line("warning: \($0)") }
    }
}
