import Display
import FlyingSocks
import Foundation
import Synchronization
import Telemetry

/// How long the page's server takes to answer, over real sockets, while its board changes every second.
struct PageBench {
    /// How long it asks.
    var seconds: Double
    /// Of the simulated cluster.
    var shards = 64
    var workers = 256

    /// Questions a second: several readers, Prometheus and a script at once.
    private static let rate = 60.0
    /// Seconds without a question before each half: longer than the server goes on for the last one.
    private static let pause = 8.0

    /// A line a path, and one for all.
    func run() throws -> [String] {
        let cluster = SimulatedCluster(shards: shards, workers: workers)
        // An hour of curves.
        let board = StatusBoard(
            status: cluster.status(after: 3600), series: (0..<3600).map { cluster.point(after: $0) })
        let server = try PageServer(board: board, options: PageOptions(address: "127.0.0.1:0"))
        let isOver = Mutex(false)
        // Made beforehand: the simulation is not what is measured.
        let statuses = (3600..<3606).map { cluster.status(after: $0) }
        Want.thread("publish") {
            var second = 0
            while !isOver.withLock({ $0 }) {
                second += 1
                board.publish(statuses[second % statuses.count], point: cluster.point(after: 3600 + second))
                Thread.sleep(forTimeInterval: 1)
            }
        }
        defer {
            isOver.withLock { $0 = true }
            server.stop()
        }
        let paths = [
            "/", "/api/v1/status", "/api/v1/series?since=\(cluster.point(after: 3598).time)", "/api/v1/lag",
            "/api/v1/shards", "/api/v1/workers", "/api/v1/hotkeys", "/metrics", "/healthz",
        ]
        // The first questions come to a job that has run for a while without a reader; so do those after a pause.
        var times: [[Double]] = paths.map { _ in [] }
        var first: [(seconds: Double, bytes: Int)] = []
        for _ in 0..<2 {
            Thread.sleep(forTimeInterval: Self.pause)
            let client = try PageClient(port: server.port)
            defer { try? client.socket.close() }
            let end = ContinuousClock.now + .seconds(seconds / 2)
            var number = 0
            while .now < end {
                let due = ContinuousClock.now + .seconds(1 / Self.rate)
                let answer = try client.ask(paths[number % paths.count])
                times[number % paths.count].append(answer.seconds)
                if number < paths.count {
                    if first.count < paths.count { first.append(answer) }
                    first[number].seconds = max(first[number].seconds, answer.seconds)
                }
                number += 1
                Thread.sleep(forTimeInterval: max(0, ContinuousClock.now.duration(to: due) / .seconds(1)))
            }
        }
        return report(paths, first, times)
    }

    private func report(_ paths: [String], _ first: [(seconds: Double, bytes: Int)], _ times: [[Double]]) -> [String] {
        func milliseconds(_ value: Double) -> String { String(format: "%.2f ms", value * 1000) }
        func line(_ name: String, _ values: [Double]) -> String {
            let sorted = values.sorted()
            guard let last = sorted.last else { return "\(name): not asked" }
            return "\(name): p50 \(milliseconds(sorted.middle)), "
                + "p99 \(milliseconds(sorted[min(sorted.count - 1, sorted.count * 99 / 100)])), "
                + "max \(milliseconds(last)), \(sorted.count) answers"
        }
        let each = paths.indices.map { index in
            "\(line(paths[index], times[index])) of \(first[index].bytes) bytes, the first after a pause \(milliseconds(first[index].seconds))"
        }
        return ["\(shards) shards, \(workers) workers, a new status every second"] + each
            + [line("all", times.flatMap(\.self))]
    }
}

/// A connection that asks and waits for the last byte.
private struct PageClient {
    let socket: FlyingSocks.Socket

    init(port: UInt16) throws {
        socket = try Socket(domain: AF_INET)
        try socket.connect(to: .inet(ip4: "127.0.0.1", port: port))
    }

    /// Seconds from the question to the last byte, and how many bytes the body had.
    func ask(_ path: String) throws -> (seconds: Double, bytes: Int) {
        let began = ContinuousClock.now
        _ = try socket.write(Data("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        var answer: [UInt8] = []
        while true {
            answer += try socket.read(atMost: 1 << 20)
            guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
            guard head.hasPrefix("HTTP/1.1 200"), let field = head.range(of: "Content-Length: "),
                let length = Int(head[field.upperBound...].prefix { $0.isNumber })
            else { throw Problem(description: "\(path): \(head.prefix(40))") }
            var left = length - (answer.count - end.upperBound)
            while left > 0 {
                left -= try socket.read(atMost: 1 << 20).count
            }
            return (began.duration(to: .now) / .seconds(1), length)
        }
    }
}
