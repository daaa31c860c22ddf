import CZeroMQ
import Foundation
import Synchronization
import Telemetry

/// Something that wakes a thread which sleeps in a poll.
package protocol Wakes: Sendable {
    /// Can be read when there is something to take.
    var descriptor: Int32 { get }
}

/// Items that other threads leave for a thread that sleeps in a poll: an eventfd wakes it.
package final class Inbox<Item: Sendable>: Wakes {
    package let descriptor: Int32
    private let items = Mutex<[Item]>([])

    package init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if descriptor < 0 { Want.endForFile() }
    }

    deinit { close(descriptor) }

    /// Leaves an item, from any thread.
    package func post(_ item: Item) {
        items.withLock { $0.append(item) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    package func take() -> [Item] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return items.withLock { items in
            let taken = items
            items.removeAll(keepingCapacity: true)
            return taken
        }
    }
}

/// Waits until a socket can be read or something else wakes.
package struct Poller {
    private var items: [zmq_pollitem_t] = []
    /// A descriptor is watched only as long as what it belongs to is there.
    private let others: [any Wakes]

    /// Watches sockets and what else wakes.
    package init(_ sockets: [Socket], _ others: any Wakes...) {
        self.others = others
        items = sockets.map { zmq_pollitem_t(socket: $0.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
        items += others.map {
            zmq_pollitem_t(socket: nil, fd: $0.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
        }
    }

    /// Sleeps for at most `timeout`.
    package mutating func wait(_ timeout: Duration) {
        let milliseconds = Int(timeout / .milliseconds(1))
        zmq_poll(&items, Int32(items.count), milliseconds)
    }
}
