import Foundation
import TestMachine
import Testing

/// This machine's ports and processes, as tests ask for them.
enum Local {
    /// A port that nobody listens on right now.
    static func freePort() throws -> Int {
        let (descriptor, port) = try LocalPort.listen()
        close(descriptor)
        return port
    }

    /// Waits until something is so, at most half a minute.
    static func wait(_ isSo: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            if isSo() { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    /// The child processes of a process.
    static func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { number in
            guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                let after = text.lastIndex(of: ")")
            else { return false }
            let fields = text[after...].split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == parent && fields[1] != "Z"
        }
    }

    /// Whether a process runs: one that has ended and was not waited for does not.
    static func isAlive(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let after = text.lastIndex(of: ")")
        else { return false }
        return text[after...].split(separator: " ")[1] != "Z"
    }
}
