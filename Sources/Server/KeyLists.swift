import Tensors
import Wire

/// The id lists of recent pulls, by hash: a push refers to one instead of sending its ids again.
///
/// Bounded: the lists of a worker's last two pulls are kept, which is all that one step in flight can refer to.
final class KeyLists {
    /// The ids of one pull.
    final class List {
        fileprivate(set) var hash: UInt64 = 0
        fileprivate(set) var tables: [TableRows] = []
        let ids = Column<UInt64>()
    }

    private struct Worker {
        var lists = [List(), List()]
        var newest = 0
    }

    private var workers: [UInt16: Worker] = [:]

    /// Keeps the list of a pull.
    func keep(_ pull: PullView) {
        var worker = workers[pull.header.rank] ?? Worker()
        if !worker.lists.contains(where: { $0.hash == pull.header.keyListHash }) {
            worker.newest = 1 - worker.newest
            let list = worker.lists[worker.newest]
            list.hash = pull.header.keyListHash
            list.tables = pull.tables
            list.ids.resize(pull.ids.count)
            if let source = pull.ids.baseAddress { list.ids.base.update(from: source, count: pull.ids.count) }
        }
        workers[pull.header.rank] = worker
    }

    /// The list of a hash, if that worker's last pulls hold it.
    func list(of rank: UInt16, hash: UInt64) -> List? { workers[rank]?.lists.first { $0.hash == hash } }
}
