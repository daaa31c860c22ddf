import Foundation
package import Telemetry
import Tensors

/// A new directory that only this user may enter, for sockets and files of one process; it goes when its owner does.
///
/// Its name is drawn, so that nobody can have made it before, it is locked, and a file in it says that it is Myriad's: what a
/// killed process left is known by that file and its free lock, and removed by the next process that makes one, or by the
/// killed one's children. A directory without the file is somebody's own, whatever it is called.
package final class PrivateDirectory: Sendable {
    /// What names begin with: short, since a socket's path has at most 107 bytes.
    private static let prefix = "myriad-"
    private static let letters = 8
    /// The file that says so.
    private static let marker = "made-by-myriad"

    package let path: String
    private let descriptor: Int32

    /// Makes one in a directory that others may write to as well.
    package init(in parent: String = "/tmp") throws(Complaint) {
        Self.sweep(parent)
        while true {
            var template = Array("\(parent)/\(Self.prefix)\(String(repeating: "X", count: Self.letters))".utf8CString)
            guard let name = mkdtemp(&template) else { throw Self.failure(parent, String(cString: strerror(errno))) }
            let descriptor = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure(parent, String(cString: strerror(errno))) }
            var found = stat()
            // Before it was locked, another process may have taken it for a dead one's; a file system without locks keeps all.
            let isOwn = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
            if isOwn, fstat(descriptor, &found) == 0, found.st_nlink > 0 {
                path = String(cString: name)
                self.descriptor = descriptor
                do {
                    try Files.replace("\(path)/\(Self.marker)", with: Self.words(found), isDurable: false, mode: 0o600)
                    return
                } catch {
                    // It goes with this object.
                    throw Self.failure(parent, "\(error)")
                }
            }
            close(descriptor)
        }
    }

    deinit {
        remove()
        close(descriptor)
    }

    /// Removes it with all that it holds, before its owner goes; again does nothing.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Removes directories of this user whose owners have ended, however they ended; touches nothing else.
    package static func sweep(_ parent: String = "/tmp") {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
            guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + letters else { continue }
            let path = "\(parent)/\(name)"
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var found = stat()
            guard fstat(descriptor, &found) == 0, found.st_uid == geteuid(), found.st_mode & 0o777 == 0o700,
                (try? Files.read("\(path)/\(marker)", limit: 256)) == words(found),
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// What the file says: a copy of such a directory has another number, and is somebody's own.
    private static func words(_ found: stat) -> Data {
        Data("Myriad made directory \(found.st_ino), and removes it when its process has ended.\n".utf8)
    }

    private static func failure(_ parent: String, _ problem: String) -> Complaint {
        Complaint(
            "no directory for sockets can be made in \(parent): \(problem): make it writable, or use "
                + "cluster.transport=tcp")
    }
}
