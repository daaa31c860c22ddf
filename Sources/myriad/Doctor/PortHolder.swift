import Foundation

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
