import Foundation
package import Telemetry
import Tensors

/// The right to write into a run's directory: one process has it, until that process ends however it ends.
///
/// The system's lock (`flock`) of the file `lock` in the directory; the file tells others who has it. Whoever finds the
/// file without the lock takes it over: its process is dead. Machines that share a file system exclude each other if
/// that passes locks on (NFS 4, Lustre with `flock`); where it has none at all, a warning says so.
package final class RunLock: Sendable {
    /// Another process has it.
    package struct Held: Error, CustomStringConvertible, FailureCausing {
        package let description: String
        package var cause: FailureReport.Cause { .config }
    }

    /// The run's directory.
    package let directory: String
    private let descriptor: Int32
    private let isNew: Bool
    private static let file = "lock"

    /// Locks a directory, which is made if need be.
    package convenience init(_ directory: String) throws { try self.init(directory, isNew: false) }

    /// Locks a directory that nobody has had: the config's name and a number.
    package convenience init(free config: String, in parent: String = "runs") throws {
        try self.init(RunDirectory.makeFree(for: config, in: parent), isNew: true)
    }

    private init(_ directory: String, isNew: Bool) throws {
        try RunPlace.check(directory)
        self.directory = directory
        let isMade = try Self.make(directory)
        self.isNew = isNew || isMade
        descriptor = try Self.lock(directory)
        let host = ProcessInfo.processInfo.hostName
        let record = "process \(getpid()) on \(host), since \(Date().formatted(.iso8601))\n"
        ftruncate(descriptor, 0)
        _ = Array(record.utf8).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// A directory of which nothing came is taken away again.
    deinit {
        if isNew, (try? Files.names(in: directory)) == [Self.file] {
            unlink("\(directory)/\(Self.file)")
            rmdir(directory)
        }
        close(descriptor)
    }

    /// Lets others have the directory: nothing more is written into it.
    package func release() { flock(descriptor, LOCK_UN) }

    /// Removes what a run keeps in its directory, so that it can begin anew; what somebody else put there stays.
    package func clear() throws {
        for name in try Files.names(in: directory) where name != Self.file && RunPlace.isOurs(name) {
            try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
    }

    /// Makes a directory; returns whether it was not there.
    private static func make(_ directory: String) throws -> Bool {
        guard try Files.stamp(directory) == nil else { return false }
        try Files.makeDirectory(directory)
        return true
    }

    private static func lock(_ directory: String) throws -> Int32 {
        let path = "\(directory)/\(file)"
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else { throw SafetensorsError.system(path: path, verb: "written", code: errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                let code = errno
                guard code == EWOULDBLOCK || code == EINTR else {
                    StandardError.line(
                        "warning: \(path) cannot be locked (\(String(cString: strerror(code)))): start nothing else in "
                            + "\(directory)")
                    return descriptor
                }
                let holder = (try? Files.read(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
                close(descriptor)
                if code == EINTR { continue }
                let who = holder.trimmingCharacters(in: .whitespacesAndNewlines)
                throw Held(
                    description:
                        "\(directory) is in use by \(who.isEmpty ? "another process" : who): wait for its end, stop "
                        + "it, or name another directory with --run")
            }
            // Whoever removed an unused directory meanwhile has removed this file with it.
            var own = stat()
            var named = stat()
            if fstat(descriptor, &own) == 0, stat(path, &named) == 0, own.st_ino == named.st_ino { return descriptor }
            close(descriptor)
            _ = try make(directory)
        }
    }
}
