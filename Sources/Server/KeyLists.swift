import Tensors
import Wire

/// The id lists of recent pulls, by hash: a push refers to one instead of sending its ids again.
///
/// Bounded: the lists of a worker's last two pulls are kept, which is all that one step in flight can refer to.
final class KeyLists {
    /// The ids of one pull, which were checked.
    final class List {
        fileprivate(set) var hash: UInt64 = 0
        fileprivate(set) var tables: [TableRows] = []
        let ids = Column<UInt64>()
    }

    /// By rank, the older list first.
    private var lists: [UInt16: [List]] = [:]

    /// Keeps the list of a pull.
    func keep(_ pull: PullView) {
        let header = pull.header
        guard list(of: header.rank, hash: header.keyListHash) == nil else { return }
        var kept = lists[header.rank] ?? []
        let list = kept.count < 2 ? List() : kept.removeFirst()
        list.hash = header.keyListHash
        list.tables = pull.tables
        list.ids.resize(pull.ids.count)
        if let source = pull.ids.baseAddress { list.ids.base.update(from: source, count: pull.ids.count) }
        lists[header.rank] = kept + [list]
    }

    /// The list of a hash, if that worker's last pulls hold it.
    func list(of rank: UInt16, hash: UInt64) -> List? { lists[rank]?.first { $0.hash == hash } }
}
