import Foundation
import Hashing
import Safetensors

/// What checkpoints need of the file system.
enum Files {
    /// Makes a file's bytes, or a directory's names, survive a power cut.
    static func sync(_ path: String) throws(CheckpointError) {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw .write(path: path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .write(path: path, String(cString: strerror(errno))) }
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .write(path: path, error.localizedDescription)
        }
    }

    /// Writes a small file through a temporary one, synced.
    static func replace(_ path: String, with data: Data) throws(CheckpointError) {
        do {
            try data.write(to: URL(filePath: path + ".partial"))
        } catch {
            throw .write(path: path, error.localizedDescription)
        }
        try sync(path + ".partial")
        try move(path + ".partial", to: path)
    }

    /// Renames, over whatever is there.
    static func move(_ source: String, to target: String) throws(CheckpointError) {
        guard rename(source, target) == 0 else { throw .write(path: target, String(cString: strerror(errno))) }
    }

    /// Length and XXHash64 of a file.
    static func checksum(_ path: String) throws -> (bytes: Int, checksum: String) {
        let file = try MappedFile(path: path)
        return (file.bytes.count, String(XXHash64.hash(file.bytes), radix: 16))
    }
}
