import Foundation
package import Wire

/// Damages messages by chance: the same seed, the same damage.
package struct Mutator {
    /// Messages of a test of mutations: few in a normal run, `MYRIAD_FUZZ` says how many else (`Tests/Scripts/fuzz.sh`).
    package static func count(normally few: Int) -> Int {
        ProcessInfo.processInfo.environment["MYRIAD_FUZZ"].flatMap { Int($0) } ?? few
    }

    private var state: UInt64

    /// - Parameter seed: chooses the damage.
    package init(seed: UInt64) { state = seed &* 2 &+ 1 }

    /// A number below a bound.
    package mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(1, bound)))
    }

    /// A message with one to three damages.
    package mutating func damage(_ message: Message) -> Message {
        var message = message
        for _ in 0...below(3) { damageOnce(&message) }
        return message
    }

    private mutating func damageOnce(_ message: inout Message) {
        let index = below(message.frames.count)
        switch below(10) {
        case 0, 1, 2:
            let all = Extremes.headers(of: Message(message.header))
            message.header = all[below(all.count)].header
        case 3: message.header.kind = MessageKind.allCases[below(MessageKind.allCases.count)]
        case 4 where !message.frames.isEmpty: message.frames.remove(at: index)
        case 5 where !message.frames.isEmpty: message.frames.append(message.frames[index])
        case 6 where message.frames.count > 1: message.frames.swapAt(index, below(message.frames.count))
        default:
            guard !message.frames.isEmpty else { return }
            message.frames[index] = Payload(copying: damage(Array(message.frames[index].bytes)))
        }
    }

    private mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let words: [String] = [
            "-1", "9223372036854775807", "1e308", "\"nan\"", "[", "{", "\"", "null", "0.5", "\\u0000",
        ]
        for _ in 0...below(4) {
            let place = below(bytes.count)
            switch below(6) {
            case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(below(8))
            case 1 where !bytes.isEmpty: bytes[place] = UInt8(below(256))
            case 2 where !bytes.isEmpty: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(8)))
            case 3: bytes.insert(contentsOf: (0..<below(16)).map { _ in [0, 0xff, 0x7f, 0x80][below(4)] }, at: place)
            case 4:
                // A whole number of a text becomes another one.
                guard let digit = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) else { break }
                let end = bytes[digit...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
                bytes.replaceSubrange(digit..<end, with: Array(words[below(words.count)].utf8))
            default: bytes.insert(contentsOf: Array(words[below(words.count)].utf8), at: place)
            }
        }
        return bytes
    }
}
