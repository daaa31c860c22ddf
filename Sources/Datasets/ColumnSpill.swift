import Foundation
import Tensors

/// A column written to a temporary file in chunks, so that a dataset larger than memory can be written.
final class ColumnSpill {
    private static let chunkBytes = 1 << 20

    /// The tensor that it becomes.
    let name: String
    private let type: TensorType
    private let width: Int?
    private let path: String
    private let handle: UnsafeMutablePointer<FILE>
    private var chunk: [UInt8] = []
    /// Values so far.
    private(set) var count = 0

    /// - Parameter width: values of a row, where the tensor has two dimensions.
    init(path: String, _ name: String, _ type: TensorType, width: Int? = nil) throws {
        guard let handle = fopen(path, "wb") else {
            throw DatasetError.file(path: path, "cannot be created: \(String(cString: strerror(errno)))")
        }
        (self.name, self.type, self.width) = (name, type, width)
        (self.path, self.handle) = (path, handle)
        chunk.reserveCapacity(Self.chunkBytes)
    }

    deinit {
        fclose(handle)
        unlink(path)
    }

    /// What the file has to say of it.
    var declaration: SafetensorsWriter.Declaration {
        .init(name, type, width.map { [count / $0, $0] } ?? [count])
    }

    /// Takes the file away while its directory still has the name that it was made under.
    func removeFile() { unlink(path) }

    func append<Element: TensorElement>(_ value: Element) throws {
        assert(Element.tensorType == type)
        withUnsafeBytes(of: value) { chunk.append(contentsOf: $0) }
        count += 1
        if chunk.count >= Self.chunkBytes { try flush() }
    }

    private func flush() throws {
        guard fwrite(chunk, 1, chunk.count, handle) == chunk.count, fflush(handle) == 0 else {
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
