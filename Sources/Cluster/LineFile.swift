import Foundation
import Tensors

/// A file that grows by whole lines.
struct LineFile {
    private let file: FileHandle
    /// Whether its last line is not whole.
    private var isTorn = false

    /// Opens a file at its end, and makes it if need be; nothing but a regular file is taken.
    init(_ path: String) throws {
        file = FileHandle(fileDescriptor: try Files.openToAdd(path), closeOnDealloc: true)
        let end = try file.seekToEnd()
        guard end > 0 else { return }
        try file.seek(toOffset: end - 1)
        isTorn = try file.read(upToCount: 1) != Data([10])
    }

    /// Adds a line, behind the end of one that is torn.
    mutating func append(_ line: Data) throws {
        let isBehindTorn = isTorn
        isTorn = true
        try file.write(contentsOf: (isBehindTorn ? Data([10]) : Data()) + line + [10])
        isTorn = false
    }
}
