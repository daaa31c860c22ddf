import Foundation
import Kernels
package import Wire

/// What a process knows of itself and its machine.
package enum SystemInfo {
    /// The program's version.
    package static let version = "0.1.0"

    /// A node's introduction.
    package static func hello(_ role: Role, rank: Int?) -> Hello {
        Hello(
            role: role, wantedRank: rank, host: ProcessInfo.processInfo.hostName, pid: Int(getpid()),
            processor: processor, blas: blasCore(), version: version)
    }

    /// Memory and time of this process so far.
    package static func report() -> Report {
        var usage = rusage()
        getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Report(
            peakMemoryBytes: usage.ru_maxrss * 1024, processorSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime)
        )
    }

    /// The CPU's name.
    package static var processor: String {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return "unknown" }
        for line in text.split(separator: "\n") where line.hasPrefix("model name") {
            return line.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
                ?? "unknown"
        }
        return "unknown"
    }
}
