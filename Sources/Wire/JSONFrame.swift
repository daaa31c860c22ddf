import Foundation
import Telemetry

/// JSON as the text frames of control messages use it: keys are sorted, numbers are finite and bounded (`TextBounds`).
enum JSONFrame {
    /// The frame of a value of this module; they all encode.
    static func encode<T: Encodable>(_ value: T) -> Payload {
        guard let data = try? TelemetryJSON.encode(value, isSnakeCase: false) else {
            preconditionFailure("\(T.self) has a property that JSON cannot hold")
        }
        return Payload(copying: Array(data))
    }

    /// The value of a message's first frame, checked as a whole, and with it the number of frames.
    static func decode<T: Checked>(
        _ message: Message, _ kind: MessageKind, frames: Int = 1, limits: Limits
    ) throws(WireError) -> T {
        try message.expect(kind, frames: frames)
        let payload = message.frames[0]
        try check(kind, "bytes of text", payload.count, limit: min(kind.longestText, limits.controlBytes))
        if kind != .inspected, let fault = unsafe TextBounds.fault(in: payload.bytes) {
            throw .body(kind, detail: fault)
        }
        let value: T
        do {
            let data = unsafe Data(payload.bytes)
            // Nobody but people who look may be told of a number that is not finite.
            value =
                kind == .inspected
                ? try TelemetryJSON.decode(T.self, from: data, isSnakeCase: false)
                : try JSONDecoder().decode(T.self, from: data)
        } catch {
            throw .body(kind, detail: String("\(error)".prefix(300)))
        }
        if let fault = value.fault { throw .body(kind, detail: fault) }
        return value
    }
}

extension MessageKind {
    /// Bytes of text that a message of this kind can need: a config or a whole status, the counters of a server, or little.
    ///
    /// What anybody may say is shortest: it is decoded before it is known who says it.
    fileprivate var longestText: Int {
        switch self {
        case .inspect, .probeWish: 512
        case .ready, .heartbeat, .reached, .verdict, .hold, .leaving: 16 << 10
        case .hello: 256 << 10
        case .welcome, .inspected: .max
        case .counters, .stopped: 4 << 20
        default: 1 << 20
        }
    }
}
