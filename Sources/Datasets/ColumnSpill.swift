import Foundation
import Tensors

/// A column written to a temporary file in chunks, so that a dataset larger than memory can be written.
final class ColumnSpill<Element: TensorElement> {
    private let path: String
    private let handle: UnsafeMutablePointer<FILE>
    private var chunk: [Element] = []
    private static var chunkCount: Int { (1 << 20) / MemoryLayout<Element>.stride }

    /// Values so far.
    private(set) var count = 0

    init(path: String) throws {
        guard let handle = fopen(path, "wb") else {
            throw DatasetError.file(path: path, "cannot be created: \(String(cString: strerror(errno)))")
        }
        self.path = path
        self.handle = handle
        chunk.reserveCapacity(Self.chunkCount)
    }

    deinit {
        fclose(handle)
        unlink(path)
    }

    /// Takes the file away while its directory still has the name that it was made under.
    func removeFile() { unlink(path) }

    func append(_ value: Element) throws {
        chunk.append(value)
        count += 1
        if chunk.count == Self.chunkCount { try flush() }
    }

    private func flush() throws {
        let written = fwrite(chunk, MemoryLayout<Element>.stride, chunk.count, handle)
        guard written == chunk.count, fflush(handle) == 0 else {
            throw DatasetError.file(path: path, "cannot be written: \(String(cString: strerror(errno)))")
        }
        chunk.removeAll(keepingCapacity: true)
    }

    /// Copies the whole column into the tensor that is due.
    func copy(to writer: SafetensorsWriter) throws {
        try flush()
        guard count > 0 else { return }
        let file = try MappedFile(path: path)
        try writer.write(file.bytes)
    }
}
