import Tensors

/// Turns events into samples: a user's last event tests, the one before validates, the others train.
///
/// Histories hold what happened strictly before the target: events at the same moment as the target are left out.
/// A user's events are stored once in every split; histories are slices of them.
final class NextItem {
    private let events: Events
    private let options: PrepareOptions
    private let userCount: Int
    private let items: [UInt64]
    private let popularity: [UInt64]
    /// Event numbers by user, in time order, and where each user's begin.
    private let order: [Int32]
    private let starts: [Int]

    /// The fields; behaviors may have further ones, each with a table of its name.
    static func schema(extras: [String] = []) -> Schema {
        Schema(
            tables: ["user", "item", "category"] + extras, user: [.init("user", table: "user")],
            item: ["item", "category"].map { .init($0, table: $0) },
            behavior: (["item", "category"] + extras).map { .init($0, table: $0) })
    }

    init(_ events: Events, _ options: PrepareOptions) {
        self.events = events
        self.options = options
        let users = IdIndex()
        let numbers = events.users.map { users.number(of: $0).number }
        let itemIndex = IdIndex()
        var items: [UInt64] = []
        for item in events.items where itemIndex.number(of: item).isNew { items.append(item) }
        userCount = users.count
        self.items = items
        popularity = options.sampling == .popularity ? events.items : []
        var starts = [Int](repeating: 0, count: userCount + 1)
        for number in numbers { starts[Int(number) + 1] += 1 }
        for user in 0..<userCount { starts[user + 1] += starts[user] }
        var cursor = starts
        var order = [Int32](repeating: 0, count: numbers.count)
        for (event, number) in numbers.enumerated() {
            order[cursor[Int(number)]] = Int32(event)
            cursor[Int(number)] += 1
        }
        for user in 0..<userCount {
            // Stable: events of one moment keep the order of the file.
            order[starts[user]..<starts[user + 1]].sort {
                (events.times[Int($0)], $0) < (events.times[Int($1)], $1)
            }
        }
        self.order = order
        self.starts = starts
    }

    var users: Int { userCount }
    var itemCount: Int { items.count }

    /// Writes the three splits.
    func write(to writer: DatasetWriter, progress: (Double) -> Void) throws {
        for (part, name) in ["train", "validation", "test"].enumerated() {
            let split = try writer.split(name)
            for user in 0..<userCount {
                if user % 4096 == 0 { progress((Double(part) + Double(user) / Double(userCount)) / 3) }
                try write(user, part, to: split)
            }
        }
    }

    private func write(_ user: Int, _ part: Int, to split: SplitWriter) throws {
        let mine = order[starts[user]..<starts[user + 1]].map(Int.init)
        let count = mine.count
        guard count >= max(3, options.least) else { return }
        let targets: Range<Int> = part == 0 ? 1..<count - 2 : part == 1 ? count - 2..<count - 1 : count - 1..<count
        guard !targets.isEmpty else { return }
        let seen = Set(mine.map { events.items[$0] })
        let stored = 0..<targets.upperBound - 1
        var first = -1
        for event in stored {
            let item = events.items[mine[event]]
            var behavior = [item, events.category(of: item)]
            for column in events.extras { behavior.append(column[mine[event]]) }
            let index = try split.appendEvent(behavior: behavior, time: events.times[mine[event]])
            if first < 0 { first = index }
        }
        let id = events.users[mine[0]]
        for target in targets {
            let time = events.times[mine[target]]
            var end = target
            while end > 0, events.times[mine[end - 1]] >= time { end -= 1 }
            if end == 0, options.task == .next { continue }
            try split.group(key: id, user: [id], time: time, history: first..<first + end)
            let item = events.items[mine[target]]
            guard options.task == .next else {
                let label: Float = events.ratings[mine[target]] >= options.threshold ? 1 : 0
                try split.candidate(item: [item, events.category(of: item)], label: label)
                continue
            }
            try split.candidate(item: [item, events.category(of: item)], label: 1)
            for number in 0..<options.negatives {
                guard let negative = negative(user, target, number, seen) else { continue }
                try split.candidate(item: [negative, events.category(of: negative)], label: 0)
            }
        }
    }

    /// An item that the user never touched: a function of (seed, user, target, number).
    private func negative(_ user: Int, _ target: Int, _ number: Int, _ seen: Set<UInt64>) -> UInt64? {
        guard seen.count < items.count else { return nil }
        let pool = popularity.isEmpty ? items : popularity
        for attempt in 0..<1000 {
            let counter = UInt64(number) << 32 | UInt64(attempt)
            let draw = Philox.below(
                UInt64(pool.count), key: options.seed, mix64(UInt64(user) << 32 | UInt64(target)), counter)
            if !seen.contains(pool[Int(draw)]) { return pool[Int(draw)] }
        }
        return items.first { !seen.contains($0) }
    }
}
