import Tensors

/// Interactions as columns, in the order of the files.
final class Events {
    private(set) var users: [UInt64] = []
    private(set) var items: [UInt64] = []
    private(set) var times: [Int64] = []
    private(set) var ratings: [Float] = []
    /// Further columns of the events.
    private(set) var extras: [[UInt64]]
    /// Category of an item; of those without one it is `unknownId`.
    private(set) var categories: [UInt64: UInt64] = [:]

    /// The id of everything that has no name of its own: it has a row and is trained.
    static let unknownId: UInt64 = 1

    var count: Int { users.count }

    /// - Parameter extras: how many further columns an event has.
    init(extras: Int = 0) { self.extras = Array(repeating: [], count: extras) }

    /// The id of a raw name: its hash, never 0 (padding) nor 1 (unknown); an empty name is unknown.
    static func id(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard !bytes.isEmpty else { return unknownId }
        let hash = XXHash64.hash(UnsafeRawBufferPointer(bytes))
        return hash < 2 ? hash + 2 : hash
    }

    func add(user: UInt64, item: UInt64, time: Int64, rating: Float, extras: [UInt64] = []) {
        users.append(user)
        items.append(item)
        times.append(time)
        ratings.append(rating)
        for (column, id) in extras.enumerated() { self.extras[column].append(id) }
    }

    func setCategory(_ category: UInt64, of item: UInt64) { categories[item] = category }

    func category(of item: UInt64) -> UInt64 { categories[item] ?? Events.unknownId }
}
