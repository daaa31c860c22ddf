/// Simulated time: what is to happen happens in the order of its time, and of its asking where that is the same.
final class Timeline {
    private struct Entry {
        let time: ContinuousClock.Instant
        let number: Int
        let body: () -> Void

        func isBefore(_ other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    /// When it began; only differences to it matter.
    let start = ContinuousClock.now
    private(set) var now: ContinuousClock.Instant
    /// Entries done so far.
    private(set) var count = 0
    /// A binary heap.
    private var heap: [Entry] = []

    init() { now = start }

    /// Since the start.
    var elapsed: Duration { start.duration(to: now) }

    /// Has something happen later.
    func after(_ delay: Duration, _ body: @escaping () -> Void) { at(now + delay, body) }

    /// Has something happen at a time; what is past happens now.
    func at(_ time: ContinuousClock.Instant, _ body: @escaping () -> Void) {
        count += 1
        heap.append(Entry(time: max(time, now), number: count, body: body))
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Goes on to the next entry; false when there is none before `limit`.
    func advance(until limit: Duration) -> Bool {
        guard let first = heap.first, start.duration(to: first.time) <= limit else { return false }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        now = first.time
        first.body()
        return true
    }

    /// Forgets what was to happen.
    func clear() { heap = [] }

    private func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
