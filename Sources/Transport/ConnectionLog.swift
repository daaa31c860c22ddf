import CZeroMQ
import Synchronization

/// What became of the connections of one socket, kept by the thread that watches them (`Gate`).
///
/// That thread may be late: libzmq names connections by descriptors, which may be another one's by then. What is known of a
/// connection before it hears of it, or is done to one, goes by the kernel's own number of it.
package final class ConnectionLog: Sendable {
    /// Why a handshake failed.
    package enum Failure: String, Sendable, Hashable, CaseIterable {
        /// A key that is on no list; at a dealer: the other side does not know ours.
        case unknownKey
        /// The client took another key for the server's.
        case wrongServerKey
        /// One side encrypts, the other does not.
        case plaintext
        /// The other side hung up in the middle.
        case abandoned
        /// What came is no ZeroMQ.
        case garbage
        /// Too many connections at once.
        case crowded
        /// A stranger sent more than was taken of it, or a message without an end.
        case flooding

        /// The same in words, as a listener sees it.
        package var words: String {
            switch self {
            case .unknownKey: "its key is not allowed (`myriad keys allow`)"
            case .wrongServerKey:
                "it holds another public key for this process than its own: give it the right scheduler.pub"
            case .plaintext: "one side encrypts and the other does not: give both keys, or none"
            case .abandoned: "it hung up before the handshake was over (a port scan, or a node with other keys or none)"
            case .garbage: "what it sent is no ZeroMQ message of version 3"
            case .crowded: "too many connections at once"
            case .flooding: "it sends without end, and is no node of the job"
            }
        }
    }

    /// Counts, and how the connection stands now.
    package struct Counts: Sendable {
        /// TCP connections made.
        package var connections = 0
        /// Handshakes completed.
        package var handshakes = 0
        /// Open now, and of those without a handshake so far.
        package var open = 0
        package var strangers = 0
        package var failures: [Failure: Int] = [:]
        /// Since when there is no connection with a handshake.
        package var apart: ContinuousClock.Instant? = .now

        /// Of a kind.
        package func count(_ failure: Failure) -> Int { failures[failure] ?? 0 }
    }

    private struct Connection {
        let address: String
        /// The kernel's number of it; 0 when it was gone already.
        let cookie: UInt64
        /// When it was made, and when a message of it was last taken.
        let since = ContinuousClock.now
        var heard: ContinuousClock.Instant?
        /// Bytes that had come when it was last looked at, those taken since then, and those that wait.
        var received = 0
        var taken = 0
        var waiting = 0
        /// Why it is being closed.
        var failure: Failure?
    }

    private struct State {
        var counts = Counts()
        /// Open connections by descriptor.
        var peers: [UInt32: Connection] = [:]
        /// The kernel's numbers of connections that belong to the job, also of those that are not known here yet.
        var trusted: Set<UInt64> = []
        /// Failed, and about to be closed: libzmq names the descriptor with the next event only.
        var failing: Failure?
        /// Members whose connections have ended, by address: as many are expected from there for a while, and whoever comes
        /// may be one until all have said who they are.
        var expected: [String: (count: Int, until: ContinuousClock.Instant)] = [:]
        /// Whether anybody takes what comes; until then it has to wait.
        var isServed = false
        /// Whether only members get past the handshake.
        var trustsAll = false
        /// What nobody has taken yet; bounded.
        var news: Set<Refusal> = []

        mutating func add(_ refusal: Refusal) { if news.count < longestNews { news.insert(refusal) } }

        func isTrusted(_ peer: Connection) -> Bool { trusted.contains(peer.cookie) }

        /// Whether it may be a member's that has not said anything yet.
        func isExpected(_ peer: Connection, at time: ContinuousClock.Instant) -> Bool {
            expected[peer.address].map { $0.until > time } ?? false
        }

        /// Notes whom a message has shown to be a member; false when that was known.
        mutating func trust(_ cookie: UInt64) -> Bool {
            guard cookie != 0 else { return false }
            // Of connections that were gone before anybody heard of them.
            if trusted.count > 4096 { trusted.formIntersection(peers.values.map(\.cookie)) }
            return trusted.insert(cookie).inserted
        }

        /// One who was expected has come.
        mutating func arrived(_ address: String) {
            guard let (count, until) = expected[address] else { return }
            expected[address] = count > 1 ? (count - 1, until) : nil
        }

        /// A member's connection has ended.
        mutating func expect(_ address: String, at time: ContinuousClock.Instant) {
            expected = expected.filter { $0.value.until > time }
            expected[address] = ((expected[address]?.count ?? 0) + 1, time + absence)
        }
    }

    /// Somebody was not let in.
    package struct Refusal: Sendable, Hashable {
        /// From where; empty when that could not be seen.
        package var address: String
        package var failure: Failure
        /// With which key.
        package var key: PublicKey?
    }

    /// Connections without a handshake that a socket bears at once; a handshake takes milliseconds.
    private static let mostStrangers = 256
    /// Bytes that a stranger, and all of them together, may have on their way: they lie in libzmq's memory until they are
    /// taken, up to 32 times as long, and those of a message without an end for ever.
    static let mostWaiting = (each: 8 << 20, together: 32 << 20)
    /// The same for those who may be members: a first message may be long, and one machine may have members and others.
    static let mostOfExpected = (each: 1 << 30, together: 1 << 30)
    /// How long a member is expected after its connection has ended.
    private static let absence = Duration.seconds(60)
    /// What goes over the wire with a frame, at most: its length, and what encrypts it.
    private static let frameOverhead = 64
    /// Who has said nothing for so long gives its place to another when there is no other.
    private static let quiet = Duration.seconds(10)
    /// How long a handshake may take before libzmq hangs up.
    static let handshake = Duration.seconds(2)
    /// More kinds of news than these are only counted.
    private static let longestNews = 32
    private let state = Mutex(State())
    private let cookie: @Sendable (UInt32) -> UInt64

    /// Knows of no connection; `cookie` gives the kernel's number of one by its descriptor, 0 when there is none.
    init(cookie: @escaping @Sendable (UInt32) -> UInt64 = { socket_cookie(Int32(bitPattern: $0)) }) {
        self.cookie = cookie
    }

    /// How it stands.
    package var counts: Counts { state.withLock(\.counts) }

    /// Failures of several sockets together, by kind.
    package static func failures(of logs: [ConnectionLog]) -> [String: Int] {
        logs.reduce(into: [:]) { sums, log in
            for (failure, count) in log.counts.failures { sums[failure.rawValue, default: 0] += count }
        }
    }

    /// Who was turned away since this was last asked.
    package func takeNews() -> [Refusal] {
        state.withLock { state in
            defer { state.news = [] }
            return Array(state.news)
        }
    }

    /// Whether there are so many that the newest is to be hung up on.
    var isCrowded: Bool {
        state.withLock {
            let now = ContinuousClock.now
            return $0.counts.strangers > Self.mostStrangers
                && $0.peers.values.count { $0.since.duration(to: now) < Self.handshake } > Self.mostStrangers
        }
    }

    /// Notes a connection; `address` is empty for one that this side made.
    func opened(_ descriptor: UInt32, _ address: String) {
        state.withLock {
            $0.counts.connections += 1
            $0.counts.open += 1
            $0.counts.strangers += 1
            let connection = Connection(address: address, cookie: cookie(descriptor))
            if $0.isTrusted(connection) { $0.arrived(address) }
            $0.peers[descriptor] = connection
            $0.failing = nil
        }
    }

    /// A message was taken.
    func took(_ bytes: Int, frames: Int, from descriptor: UInt32) {
        state.withLock {
            $0.isServed = true
            $0.peers[descriptor]?.taken += bytes + frames * Self.frameOverhead
            $0.peers[descriptor]?.heard = .now
        }
    }

    /// A connection belongs to the job.
    func trust(_ descriptor: UInt32) {
        let cookie = cookie(descriptor)
        state.withLock { state in
            guard state.trust(cookie), let peer = state.peers[descriptor], peer.cookie == cookie else { return }
            state.arrived(peer.address)
        }
    }

    /// Only members get past the handshake from now on: whatever they send may wait.
    func trustAll() { state.withLock { $0.trustsAll = true } }

    /// Connections of nobody's of which more waits than may, those with the most first.
    ///
    /// - Parameter received: bytes that have come over a connection in all.
    func floods(_ received: (UInt32) -> Int) -> [UInt32] {
        state.withLock { state in
            guard state.isServed, !state.trustsAll else { return [] }
            let now = ContinuousClock.now
            var all: [Bool: [Waiting]] = [:]
            for (descriptor, peer) in state.peers
            where !state.isTrusted(peer) && !peer.address.isEmpty && peer.failure == nil {
                let count = received(descriptor)
                // It is gone, as will be told, and what was asked is of another.
                guard peer.cookie != 0, cookie(descriptor) == peer.cookie else { continue }
                // What is counted for taken frames is the most that they can have been: it is no credit for later.
                let waiting = max(0, peer.waiting + count - peer.received - peer.taken)
                state.peers[descriptor]?.waiting = waiting
                state.peers[descriptor]?.received = count
                state.peers[descriptor]?.taken = 0
                all[state.isExpected(peer, at: now), default: []].append((descriptor, waiting))
            }
            return Self.tooMuch(all[false] ?? [], Self.mostWaiting) + Self.tooMuch(all[true] ?? [], Self.mostOfExpected)
        }
    }

    private typealias Waiting = (descriptor: UInt32, bytes: Int)

    /// Those that have to go so that no more waits than may, of each and together.
    private static func tooMuch(_ all: [Waiting], _ most: (each: Int, together: Int)) -> [UInt32] {
        var together = all.reduce(0) { $0 + $1.bytes }
        return all.sorted { $0.bytes > $1.bytes }.prefix { one in
            defer { together -= one.bytes }
            return one.bytes > most.each || together > most.together
        }.map(\.descriptor)
    }

    /// Whether there is somebody to look at.
    var hasStrangers: Bool {
        state.withLock { state in
            !state.trustsAll && state.peers.values.contains { !state.isTrusted($0) && !$0.address.isEmpty }
        }
    }

    /// Who has to go so that there is room for another: of nobody's connections the oldest that has never said anything, or
    /// else the one that has been silent for longest; the newcomer where all have said something of late.
    ///
    /// For a member that comes again somebody always goes; nil where there are members only.
    ///
    /// - Parameter isFull: those who may be members go like others; otherwise they are spared.
    func leastWelcome(beside newcomer: UInt32, isFull: Bool = false) -> UInt32? {
        state.withLock { state in
            let now = ContinuousClock.now
            let isMember = state.peers[newcomer].map { state.isTrusted($0) || state.isExpected($0, at: now) } ?? false
            let others = state.peers.filter {
                $0.key != newcomer && !state.isTrusted($0.value) && $0.value.failure == nil
                    && !$0.value.address.isEmpty && (isFull || !state.isExpected($0.value, at: now))
            }
            let unheard = others.filter { $0.value.heard == nil }
            let silent = others.filter {
                isMember || ($0.value.heard ?? $0.value.since).duration(to: now) > Self.quiet
            }
            let (chosen, fallback) = (unheard.isEmpty ? silent : unheard, isMember ? nil : newcomer)
            return chosen.min { ($0.value.heard ?? $0.value.since) < ($1.value.heard ?? $1.value.since) }?.key
                ?? fallback
        }
    }

    /// A connection is about to be closed from this side; false when it is gone already.
    func hangsUp(on descriptor: UInt32, _ failure: Failure) -> Bool {
        state.withLock {
            guard let peer = $0.peers[descriptor], peer.cookie == cookie(descriptor) else { return false }
            // If it has not shaken hands, libzmq tells of that.
            $0.counts.failures[failure, default: 0] += 1
            $0.peers[descriptor]?.failure = failure
            return true
        }
    }

    func greeted() {
        state.withLock {
            $0.counts.handshakes += 1
            $0.counts.strangers = max(0, $0.counts.strangers - 1)
            $0.counts.apart = nil
        }
    }

    func failed(_ failure: Failure) {
        state.withLock {
            $0.counts.failures[failure, default: 0] += 1
            $0.counts.strangers = max(0, $0.counts.strangers - 1)
            $0.failing = failure
        }
    }

    /// A connection is closed; the failure that went before, if any, was this one's.
    func closed(_ descriptor: UInt32) {
        state.withLock {
            $0.counts.open = max(0, $0.counts.open - 1)
            if $0.counts.open == 0, $0.counts.apart == nil { $0.counts.apart = .now }
            let peer = $0.peers.removeValue(forKey: descriptor)
            if let peer, $0.trusted.remove(peer.cookie) != nil, !peer.address.isEmpty {
                $0.expect(peer.address, at: .now)
            }
            // A refused key has been noted with the key already.
            if let failure = peer?.failure ?? $0.failing, failure != .unknownKey {
                $0.add(Refusal(address: peer?.address ?? "", failure: failure))
            } else if $0.failing == nil, $0.counts.strangers > 0,
                let since = peer?.since, since.duration(to: .now) < Self.handshake
            {
                // libzmq tells nothing of a peer of its older protocols but that it is gone.
                $0.counts.strangers -= 1
                $0.counts.failures[.garbage, default: 0] += 1
            }
            $0.counts.strangers = min($0.counts.strangers, $0.counts.open)
            $0.failing = nil
        }
    }

    /// A key was refused: this is known before the connection ends.
    func refused(_ key: PublicKey, from address: String) {
        state.withLock { $0.add(Refusal(address: address, failure: .unknownKey, key: key)) }
    }
}
