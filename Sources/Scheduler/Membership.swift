import Telemetry
import Transport
package import Wire

/// A node of the job by role and rank.
package struct Member: Hashable, Sendable, CustomStringConvertible {
    /// Server or worker.
    package let role: Role
    /// Its number within the role.
    package let rank: Int

    package init(role: Role, rank: Int) {
        self.role = role
        self.rank = rank
    }

    package var description: String { "\(role) \(rank)" }
}

/// Who has joined, over which connection, and when each was last heard of.
struct Membership {
    /// A process that has joined, or wants to.
    struct Entry {
        let hello: Hello
        var connection: [UInt8]
        /// Drawn by the process at its start.
        let incarnation: UInt32
        /// From where it came, and the key that it proved to hold.
        var peer: Socket.Peer
        /// The starts of its role and rank, this one included.
        var starts = 1
        var heard: ContinuousClock.Instant
        /// What was told to it and by it, over however many connections.
        var session = ControlSession<Control>()
        var state = "joined"
        var step = 0
        var report: NodeReport?
        /// Dead, gone or silent: nothing more is expected of it.
        var isLost = false
        /// Whether its process can be looked at.
        var isLocal: Bool
        /// Other processes that want its place, and since when.
        var rivals: [[UInt8]: ContinuousClock.Instant] = [:]
    }

    /// What became of a candidate.
    enum Admission {
        /// It has a place now.
        case joined(Member)
        /// It has its place already.
        case known(Member)
        /// It has the place of a process that is gone.
        case replaced(Member, Hello)
        /// Whether the process whose place it wants still lives shows within seconds; it will ask again.
        case undecided
        /// It gets no place, for this reason.
        case refused(String)
    }

    /// Processes that may wait for one place.
    private static let mostRivals = 64

    var entries: [Member: Entry] = [:]
    private var byConnection: [[UInt8]: Member] = [:]
    private let wanted: [Role: Int]
    private let attempt: Int

    /// - Parameter attempt: which start of the run this is: those before had processes too.
    init(servers: Int, workers: Int, attempt: Int = 1) {
        wanted = [.server: servers, .worker: workers]
        self.attempt = attempt
    }

    /// Takes a process in under the rank it wants, or the lowest that has nobody or nobody who lives.
    ///
    /// - Parameter isGone: whether a member lives no more; nil while that cannot be known. Without it nobody is replaced.
    mutating func admit(_ candidate: Entry, isGone: ((Entry) -> Bool?)?) -> Admission {
        let hello = candidate.hello
        guard let count = wanted[hello.role] else { return .refused("a \(hello.role) cannot join a job") }
        if let member = byConnection[candidate.connection] {
            // Who says hello is alive: a process of this number that is gone here was another one, of another container.
            if !candidate.isLocal { entries[member]?.isLocal = false }
            return .known(member)
        }
        let same = entries.first { $0.value.incarnation == candidate.incarnation && $0.value.hello == hello }
        if let member = same?.key, move(member, to: candidate.connection, candidate.peer) { return .known(member) }
        let free = (0..<count).first { rank in
            guard let entry = entries[Member(role: hello.role, rank: rank)] else { return true }
            return isGone?(entry) == true
        }
        guard let rank = hello.wantedRank ?? free else {
            return .refused("all \(count) \(hello.role)s have joined already")
        }
        guard (0..<count).contains(rank) else {
            return .refused("\(hello.role) \(rank) is not one of the \(count) that this job has (0 to \(count - 1))")
        }
        let member = Member(role: hello.role, rank: rank)
        guard let old = entries[member] else {
            settle(candidate, as: member, starts: attempt)
            return .joined(member)
        }
        let taken = Admission.refused("\(member) has joined already, from \(old.hello.host), process \(old.hello.pid)")
        switch isGone.map({ $0(old) }) ?? false {
        case .some(true):
            byConnection[old.connection] = nil
            settle(candidate, as: member, starts: old.starts + 1)
            return .replaced(member, old.hello)
        case .some(false): return taken
        case nil:
            // Whoever comes when so many wait is the last to get the place.
            let isFull = old.rivals.count >= Self.mostRivals
            guard let since = old.rivals[candidate.connection] ?? (isFull ? nil : candidate.heard) else { return taken }
            entries[member]?.rivals[candidate.connection] = since
            return old.heard > since ? taken : .undecided
        }
    }

    private mutating func settle(_ candidate: Entry, as member: Member, starts: Int) {
        entries[member] = candidate
        entries[member]?.starts = starts
        byConnection[candidate.connection] = member
    }

    /// The keys of everybody in these roles, in order; nil when somebody has none.
    func keys(of roles: [Role]) -> [String]? {
        let keys = roles.flatMap { ranked($0) }.map(\.entry.peer.key)
        return keys.contains(nil) ? nil : keys.compactMap { $0.map { "\($0)" } }
    }

    /// Notes a sign of life and says whose it is: the process is known by what it drew at its start, whatever the connection.
    ///
    /// - Returns: the member, and whether this is another connection than before; nil when the sender is no member.
    mutating func heard(
        _ header: Header, from connection: [UInt8], _ peer: Socket.Peer, at time: ContinuousClock.Instant
    ) -> (member: Member, hasMoved: Bool)? {
        if let member = byConnection[connection], entries[member]?.incarnation == header.incarnation {
            entries[member]?.heard = time
            return (member, false)
        }
        let member = Member(role: header.role, rank: Int(header.rank))
        guard entries[member]?.incarnation == header.incarnation, move(member, to: connection, peer) else { return nil }
        entries[member]?.heard = time
        return (member, true)
    }

    /// The same process over a new connection; false when it cannot show the same key.
    private mutating func move(_ member: Member, to connection: [UInt8], _ peer: Socket.Peer) -> Bool {
        guard let entry = entries[member], entry.peer.key == peer.key else { return false }
        byConnection[entry.connection] = nil
        byConnection[connection] = member
        entries[member]?.connection = connection
        entries[member]?.peer = peer
        return true
    }

    /// Whether everybody who lives has all that was told to it.
    var isSettled: Bool { entries.values.allSatisfy { $0.isLost || $0.session.isSettled } }

    /// Nobody could be heard for so long: the scheduler itself was stopped.
    mutating func forgive(_ pause: Duration) {
        for member in entries.keys { entries[member]?.heard += pause }
    }

    mutating func note(_ member: Member, step: Int, state: String) {
        entries[member]?.step = step
        entries[member]?.state = state
    }

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
