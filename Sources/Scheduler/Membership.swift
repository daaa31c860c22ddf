import Telemetry
import Transport
package import Wire

/// A node of the job by role and rank.
package struct Member: Hashable, Sendable, CustomStringConvertible {
    /// Server or worker.
    package let role: Role
    /// Its number within the role.
    package let rank: Int

    /// A member.
    package init(role: Role, rank: Int) {
        self.role = role
        self.rank = rank
    }

    package var description: String { "\(role) \(rank)" }
}

/// Who has joined, over which connection, and when each was last heard of.
struct Membership {
    struct Entry {
        let hello: Hello
        let connection: [UInt8]
        /// From where it came, and the key that it proved to hold.
        let peer: Socket.Peer
        /// Whether others were told that it joined.
        var isAnnounced = false
        let incarnation: UInt32
        var heard: ContinuousClock.Instant
        var state = "joined"
        var step = 0
        var report: NodeReport?
        /// Dead, gone or silent: nothing more is expected of it.
        var isLost = false
        /// Whether its process could be looked at when it joined.
        let isLocal: Bool
    }

    private(set) var entries: [Member: Entry] = [:]
    private var byConnection: [[UInt8]: Member] = [:]
    private let wanted: [Role: Int]

    init(servers: Int, workers: Int) { wanted = [.server: servers, .worker: workers] }

    /// Takes a node in under the rank it wants or the lowest free one, or says why not.
    mutating func admit(
        _ hello: Hello, connection: [UInt8], peer: Socket.Peer, incarnation: UInt32, isLocal: Bool,
        at time: ContinuousClock.Instant
    ) -> Result<Member, Refused> {
        guard let count = wanted[hello.role] else {
            return .failure(Refused(reason: "a \(hello.role) cannot join a job"))
        }
        let taken = Set(entries.keys.filter { $0.role == hello.role }.map(\.rank))
        guard let rank = hello.wantedRank ?? (0..<count).first(where: { !taken.contains($0) }) else {
            return .failure(Refused(reason: "all \(count) \(hello.role)s have joined already"))
        }
        guard (0..<count).contains(rank) else {
            return .failure(
                Refused(
                    reason: "\(hello.role) \(rank) is not one of the \(count) that this job has (0 to \(count - 1))"))
        }
        let member = Member(role: hello.role, rank: rank)
        if let old = entries[member] {
            guard old.connection == connection else {
                return .failure(
                    Refused(reason: "\(member) has joined already, from \(old.hello.host), process \(old.hello.pid)"))
            }
            return .success(member)
        }
        entries[member] = Entry(
            hello: hello, connection: connection, peer: peer, incarnation: incarnation, heard: time, isLocal: isLocal)
        byConnection[connection] = member
        return .success(member)
    }

    mutating func announce(_ member: Member) { entries[member]?.isAnnounced = true }

    /// The keys of everybody in these roles, in order; nil when somebody has none.
    func keys(of roles: [Role]) -> [String]? {
        let keys = roles.flatMap { ranked($0) }.map(\.entry.peer.key)
        return keys.contains(nil) ? nil : keys.compactMap { $0.map { "\($0)" } }
    }

    struct Refused: Error { let reason: String }

    /// Notes a sign of life and says whose connection it is.
    mutating func heard(from connection: [UInt8], at time: ContinuousClock.Instant) -> Member? {
        guard let member = byConnection[connection] else { return nil }
        entries[member]?.heard = time
        return member
    }

    mutating func note(_ member: Member, step: Int, state: String) {
        entries[member]?.step = step
        entries[member]?.state = state
    }

    mutating func note(_ member: Member, report: NodeReport) { entries[member]?.report = report }

    /// Nothing more is expected of a node.
    mutating func lose(_ member: Member) { entries[member]?.isLost = true }

    /// Whether everybody has said the last word of whom one is expected.
    var allHaveReported: Bool { entries.values.allSatisfy { $0.report != nil || $0.isLost } }

    /// Everybody in order: servers, then workers.
    var all: [(member: Member, entry: Entry)] { ranked(.server) + ranked(.worker) }

    /// Those of a role in the order of ranks.
    func ranked(_ role: Role) -> [(member: Member, entry: Entry)] {
        entries.filter { $0.key.role == role }.sorted { $0.key.rank < $1.key.rank }.map { ($0.key, $0.value) }
    }

    var isComplete: Bool { wanted.allSatisfy { role, count in ranked(role).count == count } }

    /// "server 1 of 2, worker 0 of 2": who has not joined.
    var missing: [String] {
        [Role.server, .worker].flatMap { role in
            let count = wanted[role] ?? 0
            let present = Set(ranked(role).map(\.member.rank))
            return (0..<count).filter { !present.contains($0) }.map { "\(role) \($0 + 1) of \(count)" }
        }
    }

    /// Who has not been heard of for longer than `limit`.
    func silent(for limit: Duration, at time: ContinuousClock.Instant) -> [(member: Member, entry: Entry)] {
        all.filter { $0.entry.report == nil && !$0.entry.isLost && $0.entry.heard + limit < time }
    }
}
