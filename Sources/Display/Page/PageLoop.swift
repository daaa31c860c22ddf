import FlyingSocks
import Foundation
import Synchronization
import Telemetry

/// The one thread that serves all clients: it never waits for one of them.
///
/// FlyingFox's own server has no limit on headers, connections or the time of a request, and hands no bytes to whoever
/// would set one; its sockets are used here, under poll(2).
final class PageLoop: Sendable {
    /// Clients at once.
    ///
    /// For one more that has been still the longest is closed, of the address with the most of them.
    static let capacity = 64
    /// Clients that are taken in a turn: those that are here are not kept waiting.
    private static let turn = 32
    /// How long answers that are on their way may take once it is stopped.
    private static let farewell = Duration.milliseconds(500)

    private let listener: Socket
    private let limits: Patience
    private let answer: @Sendable (Request) -> Response
    private let refused: @Sendable () -> Void
    private let isStopped = Mutex(false)
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter refused: told of every connection that was closed to make room or for its half request.
    init(
        _ listener: Socket, patience: Patience, refused: @escaping @Sendable () -> Void = {},
        answer: @escaping @Sendable (Request) -> Response
    ) {
        self.listener = listener
        limits = patience
        self.refused = refused
        self.answer = answer
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { Want.endForFile() }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wakeRead = ends[0]
        wakeWrite = ends[1]
    }

    /// Serves on a thread of its own.
    func start() {
        Want.thread("page") { [self] in
            run()
            ended.signal()
        }
    }

    /// Closes all sockets and waits for the thread's end.
    func stop() {
        let isFirst = isStopped.withLock { flag in
            defer { flag = true }
            return !flag
        }
        guard isFirst else { return }
        _ = write(wakeWrite, [UInt8(1)], 1)
        ended.wait()
        _ = Glibc.close(wakeRead)
        _ = Glibc.close(wakeWrite)
    }

    private func run() {
        var clients: [Connection] = []
        var restsUntil = ContinuousClock.now
        while !isStopped.withLock({ $0 }) {
            let accepts = restsUntil <= .now
            var polled = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            polled.append(pollfd(fd: listener.file.rawValue, events: accepts ? Int16(POLLIN) : 0, revents: 0))
            polled += clients.map { pollfd(fd: $0.socket.file.rawValue, events: $0.interest, revents: 0) }
            poll(&polled, nfds_t(polled.count), timeout(clients, accepts ? nil : restsUntil))
            for index in clients.indices {
                if polled[index + 2].revents != 0 { clients[index].proceed() }
                if clients[index].deadline <= .now, clients[index].expire() { refused() }
            }
            clients.removeAll { $0.phase == .closed }
            if polled[1].revents != 0, let rest = accept(into: &clients) { restsUntil = .now + rest }
        }
        try? listener.close()
        finish(&clients)
        for index in clients.indices { clients[index].close() }
    }

    /// Sends what has been answered: the last answer shows how the job ended.
    private func finish(_ clients: inout [Connection]) {
        let end = ContinuousClock.now + Self.farewell
        while .now < end {
            guard clients.contains(where: { $0.phase == .sending }) else { return }
            var polled = clients.map { client in
                // Negative: nothing is asked of those that have nothing to send.
                pollfd(
                    fd: client.phase == .sending ? client.socket.file.rawValue : -1, events: Int16(POLLOUT), revents: 0)
            }
            poll(&polled, nfds_t(polled.count), 50)
            for index in clients.indices where polled[index].revents != 0 { clients[index].flush() }
        }
    }

    /// Milliseconds to the next deadline.
    private func timeout(_ clients: [Connection], _ other: ContinuousClock.Instant?) -> Int32 {
        let next = (clients.map(\.deadline) + [other].compactMap(\.self)).min()
        guard let next else { return 1000 }
        return Int32(min(1000, max(0, ContinuousClock.now.duration(to: next) / .milliseconds(1) + 1)))
    }

    /// Takes those who knock; how long to wait before the next are looked at, if at all.
    private func accept(into clients: inout [Connection]) -> Duration? {
        for _ in 0..<Self.turn {
            // Who cannot be let in yet waits in the system's queue.
            guard clients.count < Self.capacity || place(in: clients) != nil else { return .milliseconds(20) }
            let file: Socket.FileDescriptor
            let address: sockaddr_storage
            do {
                (file, address) = try listener.accept()
            } catch SocketError.blocked {
                return nil
            } catch SocketError.failed(_, let code, _) where code == ECONNABORTED || code == EINTR {
                continue
            } catch {
                // A process without free descriptors gets the same error again at once.
                return .milliseconds(100)
            }
            if clients.count >= Self.capacity, let place = place(in: clients) {
                clients[place].close()
                clients.remove(at: place)
                refused()
            }
            let socket = Socket(file: file)
            guard (try? socket.setFlags(.nonBlocking)) != nil else {
                try? socket.close()
                continue
            }
            _ = fcntl(file.rawValue, F_SETFD, FD_CLOEXEC)
            var noDelay: Int32 = 1
            setsockopt(
                file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
            clients.append(Connection(socket, from: Self.peer(address), limits: limits, answer: answer))
            // Most have asked by now: what is answered at once needs no place.
            clients[clients.count - 1].proceed()
        }
        return nil
    }

    /// Who goes for one more; nil while all of the address with the most connections have moved just now.
    private func place(in clients: [Connection]) -> Int? {
        let counts = clients.reduce(into: [:]) { $0[$1.peer, default: 0] += 1 }
        let most = counts.values.max()
        let now = ContinuousClock.now
        return clients.indices.filter { counts[clients[$0].peer] == most && clients[$0].mayYield(at: now) }
            .min { clients[$0].moved < clients[$1].moved }
    }

    /// An address in hexadecimal; of version 6 the network, which one client has for itself.
    private static func peer(_ address: sockaddr_storage) -> String {
        withUnsafeBytes(of: address) { bytes in
            let isShort = address.ss_family == sa_family_t(AF_INET)
            return bytes[isShort ? 4..<8 : 8..<16].map { String($0, radix: 16) }.joined(separator: ".")
        }
    }
}
