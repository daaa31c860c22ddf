import CZeroMQ
import Cluster
import Foundation
import Processes
import Telemetry
import TestMachine
import Testing
import Transport
import Wire

/// Disks that are full, in the middle of a job and at its end.
@Suite struct DiskFailureTests {
    /// Training that would write a checkpoint after every 20 steps, each of them larger than 64 KiB.
    private static let large = ["checkpoint.every=20", "model.embedding.width=256"]

    @Test(
        "4: a planned checkpoint that cannot be written is told with its reason, leaves nothing, and training goes on")
    func fullDisk() throws {
        let cluster = try FaultyCluster()
        // 64 blocks of 1 KiB: smaller than a part of a checkpoint, larger than any log.
        let launcher = try cluster.start(
            ["launch", "job.yaml", "--servers", "1", "--workers", "1", "--run", "run", "train.epochs=100000"]
                + ["train.max_steps=70", "checkpoint.last=false", "checkpoint.best=false"] + Self.large,
            after: "ulimit -f 64")
        #expect(cluster.end(of: launcher) == 0)
        let failed = cluster.lines("warning").filter { $0.contains("checkpoint of step") }
        #expect(failed.count == 3 && cluster.lines("checkpoint").isEmpty, "\(failed)")
        #expect(failed.first?.contains("checkpoint of step 20") == true)
        #expect(failed.first?.contains("File too large") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: cluster.directory + "/run/checkpoints").isEmpty)
    }

    @Test("4: without its last checkpoint a job has failed, with the reason and not with a signal")
    func fullDiskAtTheEnd() throws {
        let cluster = try FaultyCluster()
        let launcher = try cluster.start(
            ["launch", "job.yaml", "--servers", "1", "--workers", "1", "--run", "run", "train.max_steps=30"]
                + Self.large,
            after: "ulimit -f 64")
        #expect(cluster.end(of: launcher) == 70)
        let report = try cluster.failure()
        #expect(report.cause == .diskFull, "\(report)")
        #expect(report.what.contains("the last checkpoint, of step 30") && report.what.contains("File too large"))
        #expect(report.remedy.contains("--run run --continue"))
    }

    /// Whether this machine lets a process mount a file system of its own.
    private static let canMount: Bool = {
        let process = Child()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "unshare -m mount -t tmpfs -o size=64k none /mnt"]
        process.standardError = FileHandle.nullDevice
        if (try? process.run()) != nil { process.waitUntilExit() }
        let can = process.terminationStatus == 0
        return Skips.runs("a run on a disk that is full", unless: can ? nil : "no process may mount a file system")
    }()

    @Test(
        "4: a run on a disk that is really full still says so, on the terminal",
        .enabled(if: canMount, "this machine lets no process mount a file system"))
    func fullFileSystem() throws {
        let cluster = try FaultyCluster()
        let script = "mkdir run; mount -t tmpfs -o size=160k none run && exec \"$0\" \"$@\""
        let launcher = try cluster.start(
            ["launch", "job.yaml", "--servers", "1", "--workers", "1", "--run", "run", "train.max_steps=30"]
                + Self.large,
            after: "exec unshare -m bash -c '\(script)' \"$0\" \"$@\"")
        #expect(cluster.end(of: launcher) == 70)
        let errors = cluster.errors(of: launcher)
        #expect(
            errors.contains("the last checkpoint, of step 30, cannot be written")
                && errors.contains("No space left on device"))
        #expect(errors.contains("what to do: free space or name another disk"))
    }
}
