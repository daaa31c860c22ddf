import Foundation
import Kernels
package import Telemetry
import Transport
package import Wire

/// What a process knows of itself and its machine.
package enum SystemInfo {
    /// The program's version.
    package static let version = "0.1.0"

    /// A node's introduction.
    package static func hello(_ role: Role, rank: Int?) -> Hello {
        _ = started
        return Hello(
            role: role, wantedRank: rank, host: ProcessInfo.processInfo.hostName, pid: Int(getpid()),
            processor: processor, blas: blasCore(), version: version)
    }

    /// Memory, time and handles of this process right now.
    package static func process() -> ProcessReport {
        var usage = rusage()
        getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        var report = ProcessReport()
        report.peakBytes = usage.ru_maxrss * 1024
        report.processorSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        report.started = started
        report.processors = ProcessInfo.processInfo.activeProcessorCount
        // Fields of /proc/self/statm are pages: size, resident, …
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        if pages.count > 1, let resident = Int(pages[1]) { report.residentBytes = resident * Int(getpagesize()) }
        report.openFiles = entries(of: "/proc/self/fd")
        report.threads = entries(of: "/proc/self/task")
        return report
    }

    private static let started = Date().timeIntervalSince1970

    private static func entries(of directory: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: directory))?.count ?? 0
    }

    /// What this program was built from and runs on.
    package static var build: BuildStatus {
        var build = BuildStatus()
        #if swift(>=6.4)
            build.swift = "6.4 or newer"
        #elseif swift(>=6.3)
            build.swift = "6.3"
        #else
            build.swift = "6.2"
        #endif
        build.zeromq = Context.libraryVersion
        build.openblas = blasVersion()
        build.processor = processor
        return build
    }

    /// The CPU's name.
    package static var processor: String {
        words(in: "/proc/cpuinfo", after: "model name").map { $0.drop { !$0.isLetter && !$0.isNumber } }.map(
            String.init)
            ?? "unknown"
    }

    /// What follows on the first line of a text file that begins so.
    static func words(in path: String, after start: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return words(of: text, after: start)
    }

    /// What follows on the first line of a text that begins so.
    static func words(of text: String, after start: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }
}
