import CZeroMQ
import Foundation
import Kernels

/// What the machine and the limits of this process are; a test may state others.
struct Machine: Sendable {
    /// Flags of the processor, as `/proc/cpuinfo` lists them.
    var flags: Set<String> = []
    /// Processors that this process may run on.
    var cores = 1
    /// Cores that the control group allows, where it limits them.
    var coreQuota: Double?
    /// Open files allowed now, and at most.
    var openFiles = (soft: 1024, hard: 1024)
    /// Memory that can be had without swapping.
    var availableMemory = 0
    /// Memory that the control group still allows, where it limits it.
    var memoryQuota: Int?
    /// Instruction sets that the kernels of this program were compiled for.
    var kernels: [String] = []
    /// The kernels that OpenBLAS has chosen for this processor.
    var blas = "Haswell"
    /// Whether libzmq was built with CURVE, its encryption.
    var hasCurve = true
    /// Free bytes of the disk that a directory is on; nil when it cannot be told.
    var freeDisk: @Sendable (String) -> Int? = Machine.freeDisk
    /// The setting of transparent huge pages; empty where there is none.
    var hugePages = ""
    /// Whether the kernel knows that the clock is synchronized; nil where it does not say.
    var isClockSynchronized: Bool?

    /// Reads this machine.
    static func read() -> Machine {
        var machine = Machine()
        let processors = text("/proc/cpuinfo").split(separator: "\n")
        if let line = processors.first(where: { $0.hasPrefix("flags") }) {
            machine.flags = Set(line.split(separator: " ").map(String.init))
        }
        machine.cores = ProcessInfo.processInfo.activeProcessorCount
        let quota = text("/sys/fs/cgroup/cpu.max").split(separator: " ")
        if quota.count == 2, let used = Double(quota[0]), let period = Double(quota[1].trimmed), period > 0 {
            machine.coreQuota = used / period
        }
        machine.kernels = kernelInstructionSets
        machine.blas = blasCore()
        machine.hasCurve = zmq_has("curve") != 0
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            machine.openFiles = (Int(clamping: limit.rlim_cur), Int(clamping: limit.rlim_max))
        }
        let memory = text("/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        machine.availableMemory = memory.flatMap { Int($0.split(separator: " ")[1]) }.map { $0 << 10 } ?? 0
        if let most = Int(text("/sys/fs/cgroup/memory.max").trimmed),
            let used = Int(text("/sys/fs/cgroup/memory.current").trimmed)
        {
            machine.memoryQuota = max(0, most - used)
        }
        machine.hugePages = chosen(in: text("/sys/kernel/mm/transparent_hugepage/enabled"))
        var clock = timex()
        let state = adjtimex(&clock)
        if state >= 0 { machine.isClockSynchronized = state != TIME_ERROR && clock.status & STA_UNSYNC == 0 }
        return machine
    }

    /// What a user without privileges may still write.
    private static func freeDisk(_ path: String) -> Int? {
        var info = statvfs()
        return statvfs(path, &info) == 0 ? Int(clamping: UInt64(info.f_bavail) * UInt64(info.f_frsize)) : nil
    }

    /// The word in brackets: "always [madvise] never".
    private static func chosen(in line: String) -> String {
        guard let begin = line.firstIndex(of: "["), let end = line.firstIndex(of: "]"), begin < end else { return "" }
        return String(line[line.index(after: begin)..<end])
    }

    /// A file of the kernel; empty where there is none.
    static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

extension StringProtocol {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
