import CZeroMQ
import Foundation
import Synchronization

/// Items that other threads leave for a thread that sleeps in a poll: an eventfd wakes it.
package final class Inbox<Item: Sendable>: Sendable {
    let descriptor: Int32
    private let items = Mutex<[Item]>([])

    /// An empty inbox.
    package init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "no file descriptor is left; raise `ulimit -n`")
    }

    deinit { close(descriptor) }

    /// Leaves an item, from any thread.
    package func post(_ item: Item) {
        items.withLock { $0.append(item) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Takes all items.
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

/// Waits until a socket can be read or an inbox has something.
package struct Poller {
    private var items: [zmq_pollitem_t] = []

    /// Watches sockets and an inbox.
    package init<Item>(_ sockets: [Socket], _ inbox: Inbox<Item>) {
        items = sockets.map { zmq_pollitem_t(socket: $0.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
        items.append(zmq_pollitem_t(socket: nil, fd: inbox.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    /// Sleeps for at most `timeout`.
    package mutating func wait(_ timeout: Duration) {
        let milliseconds = Int(timeout / .milliseconds(1))
        zmq_poll(&items, Int32(items.count), milliseconds)
    }
}
