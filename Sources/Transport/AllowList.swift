import Foundation
import Synchronization
import Tensors

/// Whose keys a scheduler lets in: the list of its key directory, read again when the file changes, and those of this run.
package final class AllowList: Sendable {
    private struct State {
        var grants: [PublicKey: KeyDirectory.Role]
        var changed: Files.Stamp?
    }

    private let directory: KeyDirectory?
    private let state: Mutex<State>
    private let own: [KeyDirectory.Grant]
    private let complain: @Sendable (String) -> Void

    /// - Parameters:
    ///   - directory: whose list counts; nil for none.
    ///   - own: keys made for this run.
    ///   - complain: told when a changed list cannot be read; the one before stays.
    package init(
        _ directory: KeyDirectory?, own: [KeyDirectory.Grant] = [], complain: @escaping @Sendable (String) -> Void
    ) throws(KeyDirectory.Problem) {
        self.directory = directory
        self.own = own
        self.complain = complain
        let grants = try directory?.allowed() ?? []
        state = Mutex(State(grants: Self.merged(grants + own), changed: directory.flatMap(Self.changed)))
    }

    /// What a key may do; nil for nothing.
    package func role(of key: PublicKey) -> KeyDirectory.Role? {
        reload()
        return state.withLock { $0.grants[key] }
    }

    private func reload() {
        guard let directory else { return }
        let now = Self.changed(directory)
        let isNew = state.withLock { state in
            defer { state.changed = now }
            return state.changed != now
        }
        guard isNew else { return }
        do {
            let grants = try directory.allowed()
            state.withLock { $0.grants = Self.merged(grants + own) }
        } catch {
            complain("\(error); the keys that were allowed before still are, and no others")
        }
    }

    private static func changed(_ directory: KeyDirectory) -> Files.Stamp? {
        Files.status(directory.path + "/allowed").map(Files.Stamp.init)
    }

    /// A key that is allowed twice may do what the stronger line says.
    private static func merged(_ grants: [KeyDirectory.Grant]) -> [PublicKey: KeyDirectory.Role] {
        Dictionary(grants.map { ($0.key, $0.role) }) { $0 == .node || $1 == .node ? .node : .monitor }
    }
}
