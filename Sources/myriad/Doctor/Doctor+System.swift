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
        // Kernels of OpenBLAS that use AVX2 or wider instructions.
        let wide = ["haswell", "zen", "skylakex", "cooperlake", "sapphirerapids"]
        let better = machine.flags.contains("avx512f") ? "SkylakeX" : "Haswell"
        return Finding(
            "libraries",
            "ZeroMQ \(Context.libraryVersion)\(machine.hasCurve ? " with CURVE" : ""), "
                + "\(String(cString: openblas_get_config()).trimmed) on \(machine.blas) kernels, "
                + "zlib \(String(cString: zlibVersion())), zstd \(String(cString: ZSTD_versionString()))",
            (
                !machine.hasCurve, .warn, "; this libzmq has no CURVE: its connections cannot be encrypted",
                "install a libzmq that was built with libsodium (Debian's libzmq3-dev is), or train where the "
                    + "network is trusted"
            ),
            // A processor that is newer than OpenBLAS, or hides what it is, gets kernels of 20 years ago.
            (
                machine.flags.contains("avx2") && !wide.contains(machine.blas.lowercased()), .warn,
                "; OpenBLAS does not know this processor, which has wider instructions than these kernels use",
                "export OPENBLAS_CORETYPE=\(better) for every process of a job: other kernels give other bits"
            ))
    }

    func processor() -> Finding {
        let built = machine.kernels
        let missing = built.filter { !machine.flags.contains($0) }
        let unused = ["avx2", "fma", "avx512f"].filter { machine.flags.contains($0) && !built.contains($0) }
        let target = built.isEmpty ? "plain x86-64" : built.joined(separator: ", ")
        return Finding(
            "processor", "\(SystemInfo.processor); kernels compiled for \(target)",
            (
                !missing.isEmpty, .fail, ", and this processor lacks \(missing.joined(separator: ", "))",
                "build on this machine, or for all of them: MYRIAD_MARCH=x86-64-v2 make build"
            ),
            (
                unused.contains("avx2") || unused.contains("fma"), .warn,
                "; \(unused.joined(separator: ", ")) lie idle", "use a release build for this machine (`make build`)"
            ))
    }

    func threads() -> Finding {
        let quota = machine.coreQuota.map { String(format: ", %.1f allowed by the control group", $0) } ?? ""
        let usable = min(Double(machine.cores), machine.coreQuota ?? .infinity)
        guard let cluster = job?.config.cluster else {
            return Finding("threads", .pass, "\(machine.cores) cores\(quota); OpenBLAS runs on the caller's thread")
        }
        let wanted = cluster.workers * cluster.threads + cluster.servers * cluster.shards
        return Finding(
            "threads", "\(machine.cores) cores\(quota); the config asks for \(wanted) busy threads",
            (
                Double(wanted) > usable * 2, .warn, "",
                "lower cluster.workers, threads, servers or shards, or use more machines"
            ))
    }

    func files() -> Finding {
        let cluster = job?.config.cluster
        let shards = (cluster?.servers ?? 1) * (cluster?.shards ?? 1)
        // A process has some 40 files of its own; a scheduler holds a connection to everybody and the logs of its
        // children, a shard one to every worker, each of them with descriptors of ZeroMQ beside it.
        let needed = 64 + 4 * (shards + (cluster?.workers ?? 1))
        let (soft, hard) = machine.openFiles
        let remedy =
            hard >= needed
            ? "ulimit -n \(max(needed, min(hard, 4096)))" : "raise the hard limit (limits.conf) to \(needed)"
        return Finding(
            "open files", "\(soft) open files allowed (at most \(hard)), some \(needed) needed",
            (soft < needed, .fail, "", remedy),
            (soft < 1024, .warn, "", "ulimit -n 1024, for checkpoints and a page"))
    }

    func hugePages() -> Finding {
        let setting = machine.hugePages
        return Finding(
            "huge pages", .pass,
            setting.isEmpty ? "not offered by this kernel" : "transparent huge pages: \(setting)")
    }

    func clock() -> Finding {
        guard let isSynchronized = machine.isClockSynchronized else {
            return Finding("clock", .warn, "the kernel does not tell about its clock")
        }
        if isSynchronized { return Finding("clock", .pass, "synchronized (NTP); one machine has no skew") }
        return Finding(
            "clock", .warn, "the kernel does not know that this clock is synchronized",
            remedy: "run an NTP client (chrony, systemd-timesyncd) where nodes run on several machines: protocols "
                + "use only monotonic clocks, but times on page and in logs would not agree")
    }
}
