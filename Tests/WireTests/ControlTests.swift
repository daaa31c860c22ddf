import Extremes
import Testing

@testable import Wire

/// Every control message, with every value in it at every extreme: it is refused, or holds nothing that could overflow.
@Suite struct ControlTests {
    private static let header = Header(.hello, role: .worker, rank: 0, incarnation: 1, job: 9, epoch: 1)
    private static let kinds = MessageKind.allCases.filter { !$0.isData && $0 != .scores }

    @Test("every kind is read as it was written", arguments: kinds)
    func roundTrip(kind: MessageKind) throws {
        let message = Samples.message(kind, Self.header)
        let control = try Control(decoding: message, limits: Limits())
        #expect(control.kind == kind)
        #expect(try Control(decoding: control.message(Self.header), limits: Limits()) == control)
    }

    @Test("no value of any field traps, and what passes is bounded", arguments: kinds)
    func extremes(kind: MessageKind) throws {
        let message = Samples.message(kind, Self.header)
        var (passed, refused) = (0, 0)
        for variant in Extremes.headers(of: message) + Extremes.frames(of: message) + Extremes.bodies(of: message) {
            guard let control = try? Control(decoding: variant, limits: Limits()) else {
                refused += 1
                continue
            }
            passed += 1
            let again = control.message(Self.header)
            withExtendedLifetime(again) {
                if kind != .inspected { #expect(TextBounds.fault(in: again.frames[0].bytes) == nil) }
            }
        }
        #expect(passed > 0 && refused > 0, "\(kind): \(passed) passed, \(refused) refused")
    }

    private func decode(_ kind: MessageKind, _ text: String) throws -> Control {
        var header = Self.header
        header.kind = kind
        return try Control(decoding: Message(header, [Payload(copying: Array(text.utf8))]), limits: Limits())
    }

    @Test("a number that is none, negative, or too large for a duration or an index is refused")
    func numbers() throws {
        for seconds in ["\"nan\"", "\"inf\"", "1e308", "1e17", "-1", "3601", "null", "\"1\"", "[]"] {
            #expect(throws: WireError.self) {
                try decode(.probeWish, "{\"number\":1,\"worker\":0,\"seconds\":\(seconds)}")
            }
        }
        #expect(throws: Never.self) { try decode(.probeWish, "{\"number\":1,\"worker\":0,\"seconds\":0.5}") }
        for step in ["-1", "4294967296", "9223372036854775807", "0.5", "1e30"] {
            #expect(throws: WireError.self) { try decode(.reached, "{\"from\":0,\"step\":\(step)}") }
        }
        #expect(throws: Never.self) { try decode(.reached, "{\"from\":0,\"step\":4294967294}") }
        // Half of it twice in one message: a sum over nodes could overflow.
        #expect(throws: WireError.self) { try decode(.ready, "{\"rows\":9007199254740992,\"seconds\":9}") }
        #expect(throws: WireError.self) { try decode(.heartbeat, "{\"step\":1,\"state\":\"a\\u001b[2J\"}") }
        for file in ["../x", "a/b", "..", ""] {
            let done = SnapshotDone(
                step: 1, shard: 0, file: file, rows: 1, bytes: 1, checksum: "c", partitions: [], tables: [])
            #expect(throws: WireError.self) {
                try Control(decoding: Control.snapshotDone(done).message(Self.header), limits: Limits())
            }
        }
    }

    @Test("a loss may be anything, for it is what says that training diverged")
    func losses() throws {
        for loss in [Double.nan, .infinity, -.infinity, 1e308, -0.5, 0.6931471805599453, .leastNonzeroMagnitude] {
            let sent = Progress(step: 1, samples: 8, loss: loss)
            guard
                case .progress(let got) = try Control(
                    decoding: Control.progress(sent).message(Self.header), limits: Limits())
            else { return #expect(Bool(false)) }
            #expect(got.loss.bitPattern == loss.bitPattern)
        }
        #expect(Failure(role: .worker, rank: 0, message: "a\u{1b}[2J\nb").message == "a␛[2J\nb")
    }

    @Test("scores with a label that is none are refused, and logits are left to the book")
    func scores() throws {
        let message = Samples.message(.scores, Self.header)
        let scratch = Scratch()
        #expect(throws: Never.self) { try ScoresView(decoding: message, limits: Limits(), scratch: scratch) }
        for label in [Float.nan, 2, -1, .infinity] {
            var bad = message
            bad.frames[2] = Payload(copying: [label, 0])
            #expect(throws: WireError.self) { try ScoresView(decoding: bad, limits: Limits(), scratch: scratch) }
        }
        var diverged = message
        diverged.frames[1] = Payload(copying: [Float.nan, 0])
        #expect(try ScoresView(decoding: diverged, limits: Limits(), scratch: scratch).logits[0].isNaN)
        for variant in Extremes.headers(of: message) + Extremes.frames(of: message) + Extremes.bodies(of: message) {
            guard let view = try? ScoresView(decoding: variant, limits: Limits(), scratch: scratch) else { continue }
            #expect(view.range.first >= 0 && view.logits.count == view.range.count)
        }
    }

    @Test("what anybody may say is short, however its text is made: it is refused before it is decoded")
    func length() throws {
        let question = "{\"seriesSince\":1"
        let bounds: [(MessageKind, Int)] = [
            (.inspect, 512), (.probeWish, 512), (.heartbeat, 16 << 10), (.hello, 256 << 10),
        ]
        for (kind, longest) in bounds {
            let ones = String(repeating: ",\"a\":1", count: longest / 6 + 1)
            var header = Self.header
            header.kind = kind
            let message = Message(header, [Payload(copying: Array((question + ones + "}").utf8))])
            do throws(WireError) {
                _ = try Control(decoding: message, limits: Limits())
                Issue.record("\(kind) was taken")
            } catch {
                #expect("\(error)".contains("bytes of text") && "\(error)".contains("\(longest)"))
            }
        }
    }
}
