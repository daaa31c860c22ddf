import Foundation
import Telemetry
import Transport
package import Wire

/// Where commands that only look get a job's status: its scheduler while it runs, its run directory otherwise.
package final class StatusSource {
    /// Nothing can be shown.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// How long a scheduler may take to answer.
    private static let patience = Duration.seconds(2)

    /// The run directory, if one was named or the scheduler told it and it is on this machine.
    package private(set) var directory: String?
    /// The scheduler's endpoint; empty when only files are left.
    package private(set) var endpoint = ""
    private let context: Context
    private let nothing = Inbox<Int>()
    private var socket: Socket?

    /// - Parameter target: a scheduler's endpoint (`tcp://host:port`), a run directory, or nil for the newest run in `runs`.
    package init(_ target: String?) throws {
        context = try Context()
        if let target, target.contains("://") {
            endpoint = target
            return
        }
        guard let path = target ?? Self.newestRun() else {
            throw Failure(
                description: "runs/ holds no run: name a run directory or the scheduler's address (tcp://host:port)")
        }
        directory = path
        guard let status = Self.stored(in: path) else {
            throw Failure(
                description:
                    "\(path): holds no readable status.json: it is no run directory, or one of an older version")
        }
        let isOver = status.job.state == .finished || status.job.state == .failed
        endpoint = isOver ? "" : status.job.scheduler
    }

    /// Whether it comes from a scheduler that answers rather than from files.
    package private(set) var isLive = false

    /// The newest status, and the points of its curves after a time.
    package func read(seriesSince time: Double? = nil) throws -> Inspection {
        if !endpoint.isEmpty, let answer = try ask(Inspect(seriesSince: time)) {
            isLive = true
            if directory == nil, FileManager.default.fileExists(atPath: answer.status.job.directory + "/status.json") {
                directory = answer.status.job.directory
            }
            return answer
        }
        isLive = false
        guard let directory else {
            throw Failure(
                description: "the scheduler at \(endpoint) does not answer: is it running, and is the address right? "
                    + "A finished run is shown by its directory")
        }
        guard let status = Self.stored(in: directory) else {
            throw Failure(description: "\(directory)/status.json: cannot be read")
        }
        let series = time.map { after in RunRecord.series(in: directory).filter { $0.time > after } }
        return Inspection(status: status, series: series ?? [])
    }

    /// The status that a run left, or leaves every few seconds.
    private static func stored(in directory: String) -> ClusterStatus? {
        guard let data = FileManager.default.contents(atPath: directory + "/status.json") else { return nil }
        return try? TelemetryJSON.decode(ClusterStatus.self, from: data)
    }

    private static func newestRun() -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
        func changed(_ path: String) -> Date {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return attributes?[.modificationDate] as? Date ?? .distantPast
        }
        return names.map { "runs/\($0)" }.filter { FileManager.default.fileExists(atPath: $0 + "/status.json") }
            .max { changed($0 + "/status.json") < changed($1 + "/status.json") }
    }

    private func ask(_ wish: Inspect) throws -> Inspection? {
        let socket = try socket ?? Socket.connect(to: endpoint, in: context)
        self.socket = socket
        let header = Header(
            .inspect, role: .monitor, rank: 0, incarnation: .random(in: 1...UInt32.max), job: 0, epoch: 0)
        socket.send(Control.inspect(wish).message(header))
        var poller = Poller([socket], nothing)
        let deadline = ContinuousClock.now + Self.patience
        while .now < deadline {
            poller.wait(.milliseconds(100))
            var newest: Inspection?
            while let received = socket.receive() {
                guard case .message(let message, _) = received,
                    case .inspected(let inspection) = try? Control(decoding: message, limits: Limits())
                else { continue }
                newest = inspection
            }
            if let newest { return newest }
        }
        // A late answer to this question must not pass for one to the next.
        self.socket = nil
        return nil
    }
}
