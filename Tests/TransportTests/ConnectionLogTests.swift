import Synchronization
import Testing

@testable import Transport

/// What is known of connections, whose events come late, and who of them has to go.
@Suite struct ConnectionLogTests {
    /// The kernel's numbers of sockets, as a test has them: of its own for each descriptor, unless it says otherwise.
    private final class Kernel: Sendable {
        let sockets = Mutex<[UInt32: UInt64]>([:])
        @Sendable func cookie(_ descriptor: UInt32) -> UInt64 {
            sockets.withLock { $0[descriptor] ?? UInt64(descriptor) + 1000 }
        }
    }

    @Test(
        "what waits is what has come and was not taken; a long life of small messages, and a connection of ours, are no flood"
    )
    func counting() {
        let kernel = Kernel()
        let log = ConnectionLog(cookie: kernel.cookie)
        var received: [UInt32: Int] = [:]
        func floods() -> [UInt32] { log.floods { received[$0] ?? 0 } }
        log.opened(4, "")
        log.opened(5, "a")
        (received[4], received[5]) = (1 << 40, 1 << 40)
        #expect(floods().isEmpty, "nobody takes anything yet")
        log.took(1, frames: 1, from: 9)
        #expect(floods() == [5])
        log.opened(5, "a")
        received[5] = 0
        for _ in 0..<100_000 {
            // 100 bytes, and 40 that encrypt them.
            received[5, default: 0] += 140
            log.took(100, frames: 1, from: 5)
            #expect(floods().isEmpty)
        }
        // What was counted too much for them is no credit.
        received[5, default: 0] += (8 << 20) + 1
        #expect(floods() == [5])
        log.trust(5)
        received[5, default: 0] += 1 << 40
        #expect(floods().isEmpty)
        // The same member again, from where it was: its first message may be long, whichever it is.
        kernel.sockets.withLock { $0[5] = 0 }
        log.closed(5)
        log.opened(6, "a")
        log.opened(7, "a")
        (received[6], received[7]) = (300 << 20, 300 << 20)
        #expect(floods().isEmpty)
        received[7] = 800 << 20
        #expect(floods() == [7], "even so there are bounds")
        received[7] = 300 << 20
        log.trust(6)
        #expect(floods() == [7], "it has come")
        #expect(log.hangsUp(on: 7, .flooding))
        #expect(floods().isEmpty && log.counts.count(.flooding) == 1)
        log.closed(7)
        #expect(log.takeNews().map(\.failure) == [.flooding])
        for number: UInt32 in 20..<25 {
            log.opened(number, "b")
            received[number] = 7 << 20
        }
        #expect(floods().count == 1, "together they have 35 MiB")
        log.trustAll()
        #expect(floods().isEmpty && !log.hasStrangers)
    }

    @Test("whoever watches connections late takes neither a member for a stranger nor one connection for another")
    func late() {
        let kernel = Kernel()
        let log = ConnectionLog(cookie: kernel.cookie)
        var received: [UInt32: Int] = [:]
        func floods() -> [UInt32] { log.floods { received[$0] ?? 0 } }
        // A message of it was taken before anybody heard that it was there.
        log.took(1, frames: 1, from: 4)
        log.trust(4)
        log.opened(4, "a")
        received[4] = 1 << 30
        #expect(floods().isEmpty && !log.hasStrangers)
        // A stranger has gone and a member has its descriptor, as nobody has heard yet.
        log.opened(5, "b")
        kernel.sockets.withLock { $0[5] = 1 }
        log.trust(5)
        received[5] = 1 << 30
        #expect(floods().isEmpty && !log.hangsUp(on: 5, .crowded))
        log.closed(5)
        log.opened(5, "c")
        #expect(floods().isEmpty)
        // The other way round: no stranger has what was a member's.
        kernel.sockets.withLock { $0[5] = 2 }
        log.closed(5)
        log.opened(5, "d")
        #expect(floods() == [5])
        // What was noted so late that it is another's already is that one's.
        kernel.sockets.withLock { $0[6] = 3 }
        log.opened(6, "e")
        log.trust(6)
        log.closed(6)
        log.opened(6, "e")
        received[6] = 100 << 20
        #expect(floods() == [5])
        // An end is told before the descriptor is closed, and may be told after the next beginning.
        for (old, new, isLate): (UInt32, UInt32, Bool) in [(7, 8, false), (9, 10, true)] {
            log.opened(old, "from \(old)")
            log.trust(old)
            if !isLate { log.closed(old) }
            log.opened(new, "from \(old)")
            if isLate { log.closed(old) }
            received[new] = 100 << 20
            #expect(floods() == [5])
        }
    }

    @Test("in a crowd somebody who says nothing makes room, for a member that comes again in any case")
    func crowd() {
        let log = ConnectionLog(cookie: Kernel().cookie)
        for number: UInt32 in 1...4 { log.opened(number, "s") }
        log.took(1, frames: 1, from: 1)
        #expect(log.leastWelcome(beside: 4) == 2, "the oldest that was never heard")
        for number: UInt32 in 2...4 { log.took(1, frames: 1, from: number) }
        log.opened(5, "s")
        #expect(log.leastWelcome(beside: 5) == 5, "all have said something of late")
        log.closed(5)
        log.opened(6, "m")
        log.trust(6)
        log.closed(6)
        log.opened(7, "m")
        #expect(log.leastWelcome(beside: 7) == 1)
        log.opened(8, "m")
        log.opened(9, "m")
        #expect(log.leastWelcome(beside: 9) == 1 && log.leastWelcome(beside: 9, isFull: true) == 7)
        for number: UInt32 in [8, 9] { log.closed(number) }
        log.trust(7)
        #expect(log.leastWelcome(beside: 7) == 1)
        for number: UInt32 in 1...4 { log.closed(number) }
        #expect(log.leastWelcome(beside: 7) == nil)
        // Whoever is hung up on in the middle of a handshake is counted off once.
        for number: UInt32 in 100..<400 { log.opened(number, "s") }
        #expect(log.isCrowded)
        for number: UInt32 in 100..<140 {
            #expect(log.hangsUp(on: number, .crowded))
            log.failed(.abandoned)
            log.closed(number)
        }
        log.greeted()
        #expect(log.counts.open == 261 && log.counts.strangers == 260)
    }
}
