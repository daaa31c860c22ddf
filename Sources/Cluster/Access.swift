import Foundation
import Job
import Telemetry
package import Transport

/// By what a process may speak with others: the keys that were named, or whether plaintext may leave this machine.
package struct Access: Sendable {
    /// The directory of keys that was named; "-" for standard input.
    package var keys: String?
    /// Whether plaintext may leave this machine.
    package var isInsecure: Bool

    /// - Parameter environment: MYRIAD_KEYS and MYRIAD_INSECURE count where nothing was said.
    package init(
        keys: String? = nil, isInsecure: Bool = false,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        let named = keys ?? environment["MYRIAD_KEYS"]
        self.keys = named?.isEmpty == true ? nil : named
        self.isInsecure = isInsecure || ["1", "true", "yes"].contains(environment["MYRIAD_INSECURE"]?.lowercased())
    }

    /// The keys to be used for an endpoint; nil for plaintext.
    ///
    /// Within this machine keys are used only if they are named.
    package func directory(for endpoint: Endpoint) -> KeyDirectory? {
        guard endpoint.host != nil else { return nil }
        if let keys { return KeyDirectory(keys) }
        guard !endpoint.isLocal, !isInsecure, KeyDirectory.standard.exists else { return nil }
        return .standard
    }

    /// What a scheduler that listens on an endpoint needs.
    package func scheduler(on endpoint: Endpoint, run: RunDirectory) throws -> SchedulerSecurity {
        guard let directory = directory(for: endpoint) else {
            // Within this machine, or beyond it where that was allowed.
            return SchedulerSecurity(context: try Context(isInsecure: isInsecure), allowed: nil)
        }
        return try SchedulerSecurity(scheduler: try directory.scheduler(), list: directory, run: run)
    }

    /// What somebody needs who connects to a scheduler: a context, and the scheduler's key.
    ///
    /// - Parameter other: keys that are used when none were named.
    package func node(
        to endpoint: Endpoint, else other: KeyDirectory? = nil
    ) throws -> (context: Context, key: PublicKey?) {
        if keys == "-" {
            guard let keys = NodeKeys.fromStandardInput() else {
                throw KeyDirectory.Problem(
                    "standard input", "--keys - expects the keys of a node there, as `launch` sends them")
            }
            return (try Context(identity: keys.node), keys.scheduler)
        }
        let known = keys == nil && endpoint.host != nil ? other : nil
        guard let directory = known ?? directory(for: endpoint) else {
            return (try Context(isInsecure: isInsecure), nil)
        }
        let keys = try NodeKeys(directory)
        return (try Context(identity: keys.node), keys.scheduler)
    }
}

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
}

extension SchedulerSecurity {
    /// Keys of a directory, and one made for this run, by which those who may read the run's directory may look at it.
    ///
    /// - Parameters:
    ///   - nodes: keys of nodes that are not in the list.
    ///   - run: where the key for looking is left, in `keys/`.
    package init(
        scheduler: KeyPair, list directory: KeyDirectory?, nodes: [PublicKey] = [], run: RunDirectory
    ) throws {
        context = try Context(identity: scheduler)
        let monitor = try KeyPair()
        let keys = KeyDirectory(run.path + "/keys")
        try? FileManager.default.removeItem(atPath: keys.path)
        try keys.create(monitor, scheduler: scheduler.publicKey)
        let own =
            nodes.map { KeyDirectory.Grant(key: $0, role: .node, name: "launched") }
            + [KeyDirectory.Grant(key: monitor.publicKey, role: .monitor, name: "run")]
        allowed = try AllowList(directory, own: own) { StandardError.line("warning: \($0)") }
    }
}
