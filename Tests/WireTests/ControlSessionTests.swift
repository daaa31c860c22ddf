import Testing
import Wire

/// Two ends of a control path over connections that lose, double and cut.
private struct Lossy {
    var ends = [ControlSession<Int>(), ControlSession<Int>()]
    var said = [0, 0]
    var heard: [[Int]] = [[], []]
    var now = ContinuousClock.now
    var random: SystemSeed
    /// On their way to either end: [item, 0 for a sign of life].
    var flying: [[(item: Int?, numbers: ControlNumbers)]] = [[], []]

    init(seed: UInt64) { random = SystemSeed(state: seed) }

    mutating func turn(isCalm: Bool) {
        now += .milliseconds(250)
        for end in 0...1 {
            if said[end] < 40, random.next() % 3 == 0 {
                said[end] += 1
                let out = ends[end].send(said[end], at: now)
                flying[1 - end].append((out.item, out.numbers))
            }
            for out in ends[end].overdue(at: now) { flying[1 - end].append((out.item, out.numbers)) }
            flying[1 - end].append((nil, ends[end].unnumbered))
        }
        if !isCalm, random.next() % 10 == 0 { flying = [[], []] }
        for end in 0...1 {
            while !flying[end].isEmpty, random.next() % 4 != 0 {
                let message = isCalm || random.next() % 8 != 0 ? flying[end].removeFirst() : flying[end][0]
                if !isCalm, random.next() % 5 == 0 { continue }
                guard ends[end].take(message.numbers, at: now), let item = message.item else { continue }
                heard[end].append(item)
            }
        }
    }
}

/// Draws from a seed (SplitMix64).
private struct SystemSeed {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

@Suite struct ControlSessionTests {
    @Test(
        "whatever is lost, doubled or cut, each end takes everything once and in order",
        arguments: 0..<50 as Range<UInt64>)
    func lossy(seed: UInt64) {
        var link = Lossy(seed: seed)
        for _ in 0..<200 { link.turn(isCalm: false) }
        var turns = 0
        while turns < 2000, !link.ends.allSatisfy(\.isSettled) || link.said != [40, 40] {
            link.turn(isCalm: true)
            turns += 1
        }
        #expect(link.heard[0] == Array(1...40) && link.heard[1] == Array(1...40))
        #expect(link.ends.allSatisfy { $0.isSettled && $0.repeats > 0 })
    }

    @Test("numbers that cannot be acknowledge nothing, and a message that may be lost needs no number")
    func absurd() {
        let now = ContinuousClock.now
        var session = ControlSession<Int>()
        _ = session.send(7, at: now)
        for number in [UInt32.max, 2, 3] {
            let isTaken = session.take(ControlNumbers(number: 0, acknowledged: number), at: now)
            #expect(isTaken && !session.isSettled)
        }
        for number in [UInt32.max, 2] {
            let isTaken = session.take(ControlNumbers(number: number), at: now)
            #expect(!isTaken)
        }
        let due = [0.999, 1, 2].map { seconds in session.overdue(at: now + .seconds(seconds)).map(\.item) }
        #expect(due == [[], [7], []])
        let again = session.reconnected(at: now + .seconds(2)).map(\.numbers.number)
        #expect(again == [1])
        let isTaken = session.take(ControlNumbers(number: 1, acknowledged: 1), at: now)
        #expect(isTaken && session.isSettled)
    }
}
