import Foundation

/// A file mapped into memory, read only; the mapping lives as long as the object.
///
/// Unchecked: the bytes are never written through this mapping, and the pointer never changes.
package final class MappedFile: @unchecked Sendable {
    /// Where the file is.
    package let path: String
    /// All of it.
    package let bytes: UnsafeRawBufferPointer

    /// Maps a file; a directory, a pipe or a device is refused, and never waited for.
    package init(path: String) throws(SafetensorsError) {
        self.path = path
        let (descriptor, stamp) = try Files.open(path)
        defer { close(descriptor) }
        guard stamp.bytes > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, stamp.bytes, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            throw .last(path, "mapped")
        }
        bytes = UnsafeRawBufferPointer(start: base, count: stamp.bytes)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}
