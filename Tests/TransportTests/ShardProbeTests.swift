import Foundation
import Testing
import Wire

@testable import Transport

@Suite struct ShardProbeTests {
    /// Answers probes as a shard does until it is told to end; with a pause before each answer.
    private final class Echo: Sendable {
        let end = Inbox<Bool>()
        let endpoint: String
        private let thread: RoleThread

        init(_ scheme: String, in context: Context, pause: Double = 0) throws {
            nonisolated(unsafe) let socket = try Socket.listen(on: TransportTests.endpoint(scheme), in: context)
            endpoint = socket.endpoint
            let end = end
            let counter = Inbox<Int>()
            thread = RoleThread("echo") {
                var poller = Poller([socket], end)
                let identity = TransportTests.header(.probed)
                while end.take().isEmpty {
                    poller.wait(.milliseconds(100))
                    while case .message(let message, let from) = socket.receive() {
                        if pause > 0 { Thread.sleep(forTimeInterval: pause) }
                        counter.post(message.byteCount + Int(message.header.dense) * 4)
                        socket.send(message.probed(from: identity), to: from)
                    }
                }
            }
            self.counter = counter
        }

        private let counter: Inbox<Int>
        var bytes: Int { counter.take().reduce(0, +) }

        func stop() throws {
            end.post(true)
            try thread.join()
        }
    }

    @Test("speeds both ways and a round trip, of at most 8 MB", arguments: ["inproc", "ipc", "tcp"])
    func speeds(scheme: String) throws {
        let context = try Context()
        let echoes = try (0..<2).map { _ in try Echo(scheme, in: context) }
        let paths = try ShardProbe.measure(
            echoes.map { ShardWay(endpoint: $0.endpoint) }, as: TransportTests.header(.probe), seconds: 2, in: context)
        #expect(paths.map(\.shard) == [0, 1] && paths.map(\.endpoint) == echoes.map(\.endpoint))
        for path in paths {
            #expect((path.sentMegabytesPerSecond ?? 0) > 0 && (path.receivedMegabytesPerSecond ?? 0) > 0)
            #expect((path.roundTripMicroseconds ?? 0) > 0)
        }
        for echo in echoes {
            #expect((1 << 16...8_000_000).contains(echo.bytes))
            try echo.stop()
        }
    }

    @Test("a slow shard gets few messages, one that does not answer keeps nothing from the others")
    func slow() throws {
        let context = try Context()
        // Nobody takes anything from this one.
        let mute = try Socket.listen(on: TransportTests.endpoint("tcp"), in: context)
        let echo = try Echo("tcp", in: context, pause: 0.15)
        let began = ContinuousClock.now
        let paths = try ShardProbe.measure(
            [ShardWay(endpoint: mute.endpoint), ShardWay(endpoint: echo.endpoint)], as: TransportTests.header(.probe),
            seconds: 0.5, in: context)
        #expect(paths[0].roundTripMicroseconds == nil && paths[0].sentMegabytesPerSecond == nil)
        #expect((paths[1].roundTripMicroseconds ?? 0) >= 150_000)
        // Not a gate of speed: patience is a second a shard, and everything has an end.
        #expect(began.duration(to: .now) < .seconds(20))
        try echo.stop()
    }

    @Test("who asks for more gets no more than the longest probe")
    func bounded() {
        let header = TransportTests.header(.probe, request: 5)
        let message = Message.probe(header, bytes: 1 << 30, back: 1 << 33)
        #expect(message.frames.map(\.count) == [Message.longestProbe])
        let answer = message.probed(from: TransportTests.header(.probed))
        #expect(answer.frames.map(\.count) == [Message.longestProbe])
        #expect(answer.header.kind == .probed && answer.header.request == 5 && answer.header.dense == 0)
        #expect(Message.probe(header, bytes: 0, back: 0).probed(from: header).frames.map(\.count) == [0])
    }
}
