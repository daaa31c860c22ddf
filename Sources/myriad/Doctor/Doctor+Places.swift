import Cluster
import Foundation
import Job
import Transport

/// Disks, sockets and ports.
extension Doctor {
    /// Free bytes below which logs and small checkpoints soon have no room.
    private static let tight = 1 << 30

    func disk() -> Finding {
        let place = nearest(directory)
        guard let free = machine.freeDisk(place) else {
            return Finding("disk", .fail, "\(place): \(String(cString: strerror(errno)))", remedy: "name another --run")
        }
        let speed: (megabytes: Double, sync: Double)
        do { speed = try measure(in: place) } catch {
            return Finding(
                "disk", .fail, "\(place): \(error), \(size(free)) free",
                remedy: "free space, mend its permissions, or name another directory with --run")
        }
        var found =
            "\(place): \(size(free)) free, writes \(Int(speed.megabytes)) MB/s, fsync "
            + String(format: "%.1f ms", speed.sync * 1000)
        guard let predictedBytes, let checkpoint = job?.config.checkpoint else {
            let isTight = free < Self.tight
            return Finding(
                "disk", isTight ? .warn : .pass, isTight ? "\(found), which is little" : found,
                remedy: "free space, or name another directory with --run")
        }
        // The kept ones, the best, and the one that is being written.
        let needed = predictedBytes.checkpoint * (checkpoint.keep + 2)
        found += "; \(checkpoint.keep + 2) checkpoints of \(size(predictedBytes.checkpoint)) need \(size(needed))"
        let remedy = "free space, name another directory with --run, or lower checkpoint.keep"
        if free < needed { return Finding("disk", .fail, found, remedy: remedy) }
        return Finding("disk", free / 2 < needed ? .warn : .pass, found, remedy: remedy)
    }

    /// The directory, or the nearest one above it that exists.
    private func nearest(_ path: String) -> String {
        var url = URL(filePath: path).standardizedFileURL
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" { url.deleteLastPathComponent() }
        return url.path
    }

    private struct Refused: Error, CustomStringConvertible { let description: String }

    /// Writes 8 MiB and syncs it, then five times 4 KiB.
    private func measure(in place: String) throws -> (megabytes: Double, sync: Double) {
        let path = "\(place)/.myriad-doctor-\(getpid())"
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        func failure(_ verb: String) -> Refused {
            Refused(description: "cannot \(verb): \(String(cString: strerror(errno)))")
        }
        guard descriptor >= 0 else { throw failure("be written") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 0x5a, count: 1 << 20)
        let began = ContinuousClock.now
        for _ in 0..<8 where write(descriptor, block, block.count) != block.count { throw failure("take 8 MiB") }
        guard fsync(descriptor) == 0 else { throw failure("sync") }
        let written = ContinuousClock.now
        for _ in 0..<5 {
            guard write(descriptor, block, 4096) == 4096, fsync(descriptor) == 0 else { throw failure("sync") }
        }
        let seconds = began.duration(to: written) / .seconds(1)
        return (8.388608 / max(1e-6, seconds), written.duration(to: .now) / .seconds(5))
    }

    func sockets() -> Finding {
        do {
            let directory = try PrivateDirectory()
            defer { directory.remove() }
            _ = try Socket.listen(on: "ipc://\(directory.path)/socket", in: try Context())
        } catch {
            return Finding(
                "sockets", .fail, "ipc sockets cannot be made in /tmp: \(error)",
                remedy: "make /tmp writable, or use cluster.transport=tcp")
        }
        let shared = access("/dev/shm", W_OK) == 0 ? "" : "; /dev/shm is not writable"
        return Finding("sockets", .pass, "ipc sockets can be made in /tmp\(shared)")
    }

    func port(_ name: String, _ port: Int) -> Finding {
        do {
            _ = try Socket.listen(on: "tcp://127.0.0.1:\(port)", in: try Context())
            return Finding("port", .pass, "\(port) (\(name)) is free")
        } catch {
            let holder = PortHolder.of(port: port).map { ", held by \($0)" } ?? ""
            return Finding(
                "port", name == "page" ? .warn : .fail, "\(port) (\(name)) is taken\(holder)",
                remedy: name == "page"
                    ? "nothing: the page takes the next free one (monitor.page)"
                    : "choose another with --listen, or stop its holder")
        }
    }
}
