package import Telemetry

/// The messages between a node and the scheduler: `header | JSON`, except `scores`, which has arrays (`Scores.swift`).
package enum Control: Sendable, Equatable {
    case hello(Hello)
    case welcome(Welcome)
    case ready(Ready)
    case heartbeat(Heartbeat)
    case progress(Progress)
    case reached(Reached)
    case verdict(Verdict)
    case snapshot(SnapshotRequest)
    case snapshotDone(SnapshotDone)
    case stop(Stop)
    case stopped(NodeReport)
    case failed(Failure)
    case inspect(Inspect)
    case inspected(Inspection)
    case counters(NodeReport)
    case probeWish(ProbeWish)
    case probeResult(ProbeResult)
    case hold
    case leaving(Leaving)

    /// The kind in the header.
    package var kind: MessageKind { parts.kind }

    /// The message; the header's kind is set here.
    package func message(_ header: Header) -> Message {
        let (kind, frame) = parts
        var header = header
        header.kind = kind
        return Message(header, [frame])
    }

    private var parts: (kind: MessageKind, frame: Payload) {
        switch self {
        case .hello(let body): (.hello, JSONFrame.encode(body))
        case .welcome(let body): (.welcome, JSONFrame.encode(body))
        case .ready(let body): (.ready, JSONFrame.encode(body))
        case .heartbeat(let body): (.heartbeat, JSONFrame.encode(body))
        case .progress(let body): (.progress, JSONFrame.encode(body))
        case .reached(let body): (.reached, JSONFrame.encode(body))
        case .verdict(let body): (.verdict, JSONFrame.encode(body))
        case .snapshot(let body): (.snapshot, JSONFrame.encode(body))
        case .snapshotDone(let body): (.snapshotDone, JSONFrame.encode(body))
        case .stop(let body): (.stop, JSONFrame.encode(body))
        case .stopped(let body): (.stopped, JSONFrame.encode(body))
        case .failed(let body): (.failed, JSONFrame.encode(body))
        case .inspect(let body): (.inspect, JSONFrame.encode(body))
        case .inspected(let body): (.inspected, JSONFrame.encode(body))
        case .counters(let body): (.counters, JSONFrame.encode(body))
        case .probeWish(let body): (.probeWish, JSONFrame.encode(body))
        case .probeResult(let body): (.probeResult, JSONFrame.encode(body))
        case .hold: (.hold, JSONFrame.encode(Hold()))
        case .leaving(let body): (.leaving, JSONFrame.encode(body))
        }
    }

    /// Reads a control message, whose numbers and texts are bounded then; `scores` and the data messages are refused.
    package init(decoding message: Message, limits: Limits) throws(WireError) {
        let kind = message.header.kind
        func body<T: Checked>() throws(WireError) -> T {
            try JSONFrame.decode(message, kind, limits: limits)
        }
        switch kind {
        case .hello: self = .hello(try body())
        case .welcome: self = .welcome(try body())
        case .ready: self = .ready(try body())
        case .heartbeat: self = .heartbeat(try body())
        case .progress: self = .progress(try body())
        case .reached: self = .reached(try body())
        case .verdict: self = .verdict(try body())
        case .snapshot: self = .snapshot(try body())
        case .snapshotDone: self = .snapshotDone(try body())
        case .stop: self = .stop(try body())
        case .stopped: self = .stopped(try body())
        case .failed: self = .failed(try body())
        case .inspect: self = .inspect(try body())
        case .inspected: self = .inspected(try body())
        case .counters: self = .counters(try body())
        case .probeWish: self = .probeWish(try body())
        case .probeResult: self = .probeResult(try body())
        case .hold:
            let _: Hold = try body()
            self = .hold
        case .leaving: self = .leaving(try body())
        case .pull, .values, .push, .pushed, .refused, .probe, .probed, .scores:
            throw .kind(found: kind, expected: "a control message")
        }
    }
}
