import CCompression
import COpenBLAS
import CZeroMQ
import Cluster
import Foundation
import Job
import Transport

/// What the machine is and has.
extension Doctor {
    func build() -> Finding {
        #if DEBUG
            Finding(
                "build", .warn, "myriad \(SystemInfo.version), a debug build with checks, ten times slower",
                remedy: "build with `make build` and use .build/release/myriad")
        #else
            Finding("build", .pass, "myriad \(SystemInfo.version), release")
        #endif
    }

    func libraries() -> Finding {
        let found =
            "ZeroMQ \(Context.libraryVersion)\(machine.hasCurve ? " with CURVE" : ""), "
            + "\(String(cString: openblas_get_config()).trimmed) on \(machine.blas) kernels, "
            + "zlib \(String(cString: zlibVersion())), zstd \(String(cString: ZSTD_versionString()))"
        guard machine.hasCurve else {
            return Finding(
                "libraries", .warn, "\(found); this libzmq has no CURVE: its connections cannot be encrypted",
                remedy: "install a libzmq that was built with libsodium (Debian's libzmq3-dev is), or train where the "
                    + "network is trusted")
        }
        // A processor that is newer than OpenBLAS, or hides what it is, gets kernels of 20 years ago.
        if machine.flags.contains("avx2"), !Self.wideKernels.contains(machine.blas.lowercased()) {
            let better = machine.flags.contains("avx512f") ? "SkylakeX" : "Haswell"
            return Finding(
                "libraries", .warn,
                "\(found); OpenBLAS does not know this processor, which has wider instructions than these kernels use",
                remedy: "export OPENBLAS_CORETYPE=\(better) for every process of a job: other kernels give other bits")
        }
        return Finding("libraries", .pass, found)
    }

    /// Kernels of OpenBLAS that use AVX2 or wider instructions.
    private static let wideKernels: Set = ["haswell", "zen", "skylakex", "cooperlake", "sapphirerapids"]

    func processor() -> Finding {
        let built = machine.kernels
        let missing = built.filter { !machine.flags.contains($0) }
        let unused = ["avx2", "fma", "avx512f"].filter { machine.flags.contains($0) && !built.contains($0) }
        let target = built.isEmpty ? "plain x86-64" : built.joined(separator: ", ")
        let found = "\(SystemInfo.processor); kernels compiled for \(target)"
        if !missing.isEmpty {
            return Finding(
                "processor", .fail, "\(found), and this processor lacks \(missing.joined(separator: ", "))",
                remedy: "build on this machine, or for all of them: MYRIAD_MARCH=x86-64-v2 make build")
        }
        if unused.contains("avx2") || unused.contains("fma") {
            return Finding(
                "processor", .warn, "\(found); \(unused.joined(separator: ", ")) lie idle",
                remedy: "use a release build for this machine (`make build`)")
        }
        return Finding("processor", .pass, found)
    }

    func threads() -> Finding {
        let quota = machine.coreQuota.map { String(format: ", %.1f allowed by the control group", $0) } ?? ""
        let usable = min(Double(machine.cores), machine.coreQuota ?? .infinity)
        guard let cluster = job?.config.cluster else {
            return Finding("threads", .pass, "\(machine.cores) cores\(quota); OpenBLAS runs on the caller's thread")
        }
        let wanted = cluster.workers * cluster.threads + cluster.servers * cluster.shards
        let found = "\(machine.cores) cores\(quota); the config asks for \(wanted) busy threads"
        if Double(wanted) > usable * 2 {
            return Finding(
                "threads", .warn, found,
                remedy: "lower cluster.workers, threads, servers or shards, or use more machines")
        }
        return Finding("threads", .pass, found)
    }

    func files() -> Finding {
        let cluster = job?.config.cluster
        let shards = (cluster?.servers ?? 1) * (cluster?.shards ?? 1)
        let workers = cluster?.workers ?? 1
        // A process has some 40 files of its own; a scheduler holds a connection to everybody and the logs of its
        // children, a shard one to every worker, each of them with descriptors of ZeroMQ beside it.
        let needed = 64 + 4 * (shards + workers)
        let (soft, hard) = machine.openFiles
        let found = "\(soft) open files allowed (at most \(hard)), some \(needed) needed"
        let remedy =
            hard >= needed
            ? "ulimit -n \(max(needed, min(hard, 4096)))" : "raise the hard limit (limits.conf) to \(needed)"
        if soft < needed { return Finding("open files", .fail, found, remedy: remedy) }
        if soft < 1024 {
            return Finding("open files", .warn, found, remedy: "ulimit -n 1024, for checkpoints and a page")
        }
        return Finding("open files", .pass, found)
    }

    func hugePages() -> Finding {
        let found =
            machine.hugePages.isEmpty ? "not offered by this kernel" : "transparent huge pages: \(machine.hugePages)"
        return Finding("huge pages", .pass, found)
    }

    func clock() -> Finding {
        switch machine.isClockSynchronized {
        case true: Finding("clock", .pass, "synchronized (NTP); one machine has no skew")
        case false:
            Finding(
                "clock", .warn, "the kernel does not know that this clock is synchronized",
                remedy: "run an NTP client (chrony, systemd-timesyncd) where nodes run on several machines: protocols "
                    + "use only monotonic clocks, but times on page and in logs would not agree")
        case nil: Finding("clock", .warn, "the kernel does not tell about its clock")
        }
    }
}
