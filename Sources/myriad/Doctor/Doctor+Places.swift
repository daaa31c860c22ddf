import Cluster
import Foundation
import Job
import Transport

/// Disks, sockets, ports and keys.
extension Doctor {
    func disk() -> Finding {
        // The directory, or the nearest one above it that exists.
        var url = URL(filePath: directory).standardizedFileURL
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" { url.deleteLastPathComponent() }
        let place = url.path
        guard let free = machine.freeDisk(place) else {
            return Finding("disk", .fail, "\(place): \(String(cString: strerror(errno)))", remedy: "name another --run")
        }
        let speed: (megabytes: Double, sync: Double)
        do { speed = try measure(in: place) } catch {
            return Finding(
                "disk", .fail, "\(place): \(error), \(size(free)) free",
                remedy: "free space, mend its permissions, or name another directory with --run")
        }
        let found =
            "\(place): \(size(free)) free, writes \(Int(speed.megabytes)) MB/s, fsync "
            + String(format: "%.1f ms", speed.sync * 1000)
        guard let predictedBytes, let checkpoint = job?.config.checkpoint else {
            // Logs and small checkpoints soon have no room.
            return Finding(
                "disk", found,
                (free < 1 << 30, .warn, ", which is little", "free space, or name another directory with --run"))
        }
        // The kept ones, the best, and the one that is being written.
        let needed = predictedBytes.checkpoint * (checkpoint.keep + 2)
        let remedy = "free space, name another directory with --run, or lower checkpoint.keep"
        return Finding(
            "disk",
            "\(found); \(checkpoint.keep + 2) checkpoints of \(size(predictedBytes.checkpoint)) need \(size(needed))",
            (free < needed, .fail, "", remedy), (free / 2 < needed, .warn, "", remedy))
    }

    /// Writes 8 MiB and syncs it, then five times 4 KiB.
    private func measure(in place: String) throws -> (megabytes: Double, sync: Double) {
        let path = "\(place)/.myriad-doctor-\(getpid())"
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        func check(_ isDone: Bool, _ verb: String) throws {
            guard !isDone else { return }
            throw Problem(description: "cannot \(verb): \(String(cString: strerror(errno)))")
        }
        try check(descriptor >= 0, "be written")
        defer {
            close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 0x5a, count: 1 << 20)
        let began = ContinuousClock.now
        for _ in 0..<8 { try check(write(descriptor, block, block.count) == block.count, "take 8 MiB") }
        try check(fsync(descriptor) == 0, "sync")
        let written = ContinuousClock.now
        for _ in 0..<5 { try check(write(descriptor, block, 4096) == 4096 && fsync(descriptor) == 0, "sync") }
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

    /// Whether the keys that would be used can be used.
    func keys() -> [Finding] {
        let directory = Access().keys.map { KeyDirectory($0) } ?? .standard
        guard directory.exists else { return [] }
        let remedy = "correct that, or move the directory away: roles that leave this machine would use it"
        return finding("keys", or: remedy) {
            let isScheduler = FileManager.default.fileExists(atPath: directory.path + "/scheduler.key")
            let known =
                isScheduler
                ? "of scheduler \(try directory.scheduler().publicKey.short), \(try directory.allowed().count) allowed"
                : "for scheduler \(try directory.schedulerKey().short)"
            return "\(directory.path): \(known), node \(try directory.node().publicKey.short)"
        }
    }
}

/// Which process listens on a port of this machine.
enum PortHolder {
    /// "process 4242 (myriad)", if it can be seen.
    static func of(port: Int) -> String? {
        let hex = String(port, radix: 16, uppercase: true)
        let wanted = ":" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in Machine.text(table).split(separator: "\n").dropFirst() {
                // sl, local address, remote address, state (0A listens), …, inode in the tenth.
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[1].hasSuffix(wanted), fields[3] == "0A" else { continue }
                return process(withSocket: String(fields[9]))
            }
        }
        return nil
    }

    private static func process(withSocket inode: String) -> String? {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(name) != nil {
            for number in (try? files.contentsOfDirectory(atPath: "/proc/\(name)/fd")) ?? [] {
                let target = try? files.destinationOfSymbolicLink(atPath: "/proc/\(name)/fd/\(number)")
                guard target == "socket:[\(inode)]" else { continue }
                return "process \(name) (\(Machine.text("/proc/\(name)/comm").trimmed))"
            }
        }
        return nil
    }
}
