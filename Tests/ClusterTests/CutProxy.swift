import Foundation
import TestMachine

/// Stands in front of a port of this machine and cuts every connection to it again and again.
final class CutProxy: @unchecked Sendable {  // everything but `end` belongs to its thread
    /// Where it listens.
    let port: Int
    private let target: Int
    private let listener: Int32
    private let pause: Duration
    private let end: (wait: Int32, tell: Int32)
    private let done = DispatchSemaphore(value: 0)
    /// Connections that were cut; to be read after `stop`.
    private(set) var cuts = 0

    init(to target: Int, cutsEvery pause: Duration) throws {
        self.target = target
        self.pause = pause
        (listener, port) = try LocalPort.listen()
        var pair: [Int32] = [0, 0]
        guard pipe(&pair) == 0 else { throw POSIXError(.EMFILE) }
        end = (pair[0], pair[1])
        Thread { [self] in
            serve()
            done.signal()
        }.start()
    }

    /// Closes everything, and waits until it is closed.
    func stop() {
        close(end.tell)
        done.wait()
    }

    private func serve() {
        var pairs: [(Int32, Int32)] = []
        var cut = ContinuousClock.now + pause
        func closeAll() {
            for (near, far) in pairs { for end in [near, far] { close(end) } }
            pairs = []
        }
        while true {
            let ends = pairs.flatMap { [$0.0, $0.1] }
            var items = ([end.wait, listener] + ends).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&items, nfds_t(items.count), 20)
            if items[0].revents != 0 { break }
            if items[1].revents != 0, let pair = accept() { pairs.append(pair) }
            for (number, item) in items.dropFirst(2).enumerated() where item.revents != 0 {
                pump(from: ends[number], to: ends[number ^ 1])
            }
            guard cut < .now else { continue }
            cut = .now + pause
            cuts += pairs.count
            closeAll()
        }
        closeAll()
        for end in [listener, end.wait] { close(end) }
    }

    private func accept() -> (Int32, Int32)? {
        let near = Foundation.accept(listener, nil, nil)
        guard near >= 0 else { return nil }
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(target).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if connected { return (near, far) }
        for end in [near, far] { close(end) }
        return nil
    }

    /// What ends on one side is cut on both with the next cut.
    private func pump(from source: Int32, to target: Int32) {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(source, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { return }
        var sent = 0
        while sent < count {
            let more = bytes[sent..<count].withUnsafeBytes {
                send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard more > 0 else { return }
            sent += more
        }
    }
}
