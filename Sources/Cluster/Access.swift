import Foundation
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
        guard let directory = directory(for: endpoint) else { return try SchedulerSecurity(isInsecure: isInsecure) }
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
