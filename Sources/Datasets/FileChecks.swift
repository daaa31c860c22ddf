import Foundation
import Synchronization
import Tensors

/// Length and XXHash64 of a file.
struct FileSum: Hashable, Sendable {
    let bytes: Int
    /// In hexadecimal.
    let checksum: String

    /// "checksum bytes name", as the list of a dataset has it.
    func line(of name: String) -> String { "\(checksum) \(bytes) \(name)\n" }

    /// Reads such a line; nil for any other.
    static func read(_ line: Substring) -> (name: String, sum: FileSum)? {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let hash = UInt64(words[0], radix: 16), let bytes = Int(words[1]), bytes >= 0,
            FileSum(bytes: bytes, checksum: String(hash, radix: 16)).line(of: String(words[2])) == line + "\n"
        else { return nil }
        return (String(words[2]), FileSum(bytes: bytes, checksum: String(words[0])))
    }
}

/// The sums of a directory's files, each read once and noted in `.checked` for as long as its stamp stays the same.
final class FileChecks: Sendable {
    private struct Known: Hashable, Sendable {
        let stamp: Files.Stamp
        let sum: FileSum
    }

    private let directory: String
    private let isKept: Bool
    private let youth: UInt64
    private let state = Mutex((known: [String: Known]?.none, reads: 0))

    /// How often a file was read.
    var reads: Int { state.withLock { $0.reads } }

    /// - Parameters:
    ///   - isKept: whether what was read is noted beside the files.
    ///   - youth: nanoseconds for which a change may go unseen, because the clock of the file system ticks slowly.
    init(directory: String, isKept: Bool = true, youth: UInt64 = 2_000_000_000) {
        self.directory = directory
        self.isKept = isKept
        self.youth = youth
    }

    /// The sum of a file, read only if it is not known.
    ///
    /// - Parameter isFresh: read it in any case.
    func sum(of name: String, isFresh: Bool = false) throws -> FileSum {
        try state.withLock { state in
            let path = directory + "/" + name
            var all = state.known ?? (isKept ? noted() : [:])
            if !isFresh, let entry = all[name], try Files.stamp(path) == entry.stamp {
                state.known = all
                return entry.sum
            }
            state.reads += 1
            var progress = Progress(path: path, bytes: try Files.stamp(path)?.bytes ?? 0)
            let (stamp, checksum) = try Files.checksum(path) { progress.tell($0) }
            let sum = FileSum(bytes: stamp.bytes, checksum: checksum)
            // A file that is changed twice within a tick of the clock keeps its stamp: what is young is not noted.
            let now = UInt64(max(0, Date().timeIntervalSince1970 * 1e9))
            guard max(stamp.modified, stamp.changed) &+ youth < now else { return sum }
            all[name] = Known(stamp: stamp, sum: sum)
            state.known = all
            // Another process may have noted others meanwhile: what it loses is read once more.
            if isKept { try? Files.replace(directory + "/" + Dataset.checkedFile, with: note(all)) }
            return sum
        }
    }

    /// Lines of "checksum bytes inode modified changed name", and the hash of all of them.
    private func note(_ all: [String: Known]) -> Data {
        let lines = all.sorted { $0.key < $1.key }.map { name, known in
            let stamp = known.stamp
            return "\(known.sum.checksum) \(stamp.bytes) \(stamp.inode) \(stamp.modified) \(stamp.changed) \(name)\n"
        }.joined()
        return Data((lines + String(XXHash64.hash(lines), radix: 16) + "\n").utf8)
    }

    /// What `.checked` says; nothing if it is not whole.
    private func noted() -> [String: Known] {
        guard let data = try? Files.read(directory + "/" + Dataset.checkedFile) else { return [:] }
        var all: [String: Known] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropLast() {
            let words = line.split(separator: " ", maxSplits: 5)
            let numbers = words.dropFirst().prefix(4).compactMap { UInt64($0) }
            guard words.count == 6, numbers.count == 4, let bytes = Int(exactly: numbers[0]) else { return [:] }
            let stamp = Files.Stamp(bytes: bytes, inode: numbers[1], modified: numbers[2], changed: numbers[3])
            all[String(words[5])] = Known(stamp: stamp, sum: FileSum(bytes: bytes, checksum: String(words[0])))
        }
        return note(all) == data ? all : [:]
    }

    /// Says that a long check goes on.
    private struct Progress {
        let path: String
        let bytes: Int
        let began = ContinuousClock.now
        var told = ContinuousClock.now

        mutating func tell(_ count: Int) {
            let now = ContinuousClock.now
            guard told.duration(to: now) > .seconds(2) else { return }
            told = now
            let (share, rate) = (
                count * 100 / max(1, bytes), Double(count) / 1e9 / (began.duration(to: now) / .seconds(1))
            )
            let digits = rate.formatted(.number.precision(.fractionLength(1)))
            FileHandle.standardError.write(Data("reading \(path) once to check it: \(share) %, \(digits) GB/s\n".utf8))
        }
    }
}
