import Datasets
import Foundation
import Job
import Models
import Parameters
import Processes
import Telemetry
import Tensors
import TestMachine
import Testing
import Wire

@testable import myriad

@Suite struct DoctorTests {
    /// The program that was built with these tests.
    private static let program: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: ".build/\(configuration)/myriad").path
    }()

    private func temporary() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "doctor-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Runs a command line with `$0` as the program; returns its code and output.
    private func shell(_ script: String, in place: String) throws -> (code: Int32, output: String) {
        let process = Child()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", script, Self.program]
        process.currentDirectoryURL = URL(filePath: place)
        let pipe = Pipe()
        process.standardOutput = pipe.fileHandleForWriting
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try pipe.fileHandleForWriting.close()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private let good: Machine = {
        var machine = Machine()
        machine.flags = ["avx2", "fma", "avx512f"]
        machine.cores = 8
        machine.openFiles = (4096, 4096)
        machine.availableMemory = 1 << 40
        machine.isClockSynchronized = true
        return machine
    }()

    @Test("a healthy machine has nothing that fails")
    func healthy() throws {
        let place = try temporary()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let findings = Doctor(machine: good, directory: place, ports: []).examine()
        #expect(findings.allSatisfy { $0.verdict != .fail }, "\(findings)")
        #expect(Set(findings.map(\.check)).isSuperset(of: ["libraries", "processor", "open files", "disk", "sockets"]))
        #expect(Machine.read().availableMemory > 0 && !Machine.read().flags.isEmpty)
    }

    @Test("few open files, an unsynchronized clock and a processor without the kernels' instructions are found")
    func limits() {
        var machine = good
        machine.openFiles = (64, 64)
        #expect(Doctor(machine: machine).files().verdict == .fail)
        machine.openFiles = (512, 4096)
        #expect(Doctor(machine: machine).files().verdict == .warn)
        machine.isClockSynchronized = false
        #expect(Doctor(machine: machine).clock().verdict == .warn)
        machine.kernels = ["avx2", "fma"]
        machine.flags = ["fma"]
        let lacking = Doctor(machine: machine).processor()
        #expect(lacking.verdict == .fail && lacking.found.hasSuffix("this processor lacks avx2"), "\(lacking)")
        #expect(lacking.remedy.contains("MYRIAD_MARCH"))
        machine.flags = ["avx2", "fma"]
        #expect(Doctor(machine: machine).processor().verdict == .pass)
        machine.kernels = []
        #expect(Doctor(machine: machine).processor().verdict == .warn)
        #expect(Doctor(machine: machine).libraries().verdict == .pass)
        machine.blas = "Prescott"
        let narrow = Doctor(machine: machine).libraries()
        #expect(narrow.verdict == .warn && narrow.found.contains("Prescott kernels"))
        #expect(narrow.remedy.contains("OPENBLAS_CORETYPE=Haswell"))
        (machine.flags, machine.blas) = (["sse3"], "Prescott")
        #expect(Doctor(machine: machine).libraries().verdict == .pass)
        machine.hasCurve = false
        let plain = Doctor(machine: machine).libraries()
        #expect(plain.verdict == .warn && plain.found.contains("no CURVE") && plain.remedy.contains("libsodium"))
    }

    @Test("a port that is taken fails with the process that holds it, and a page only warns")
    func ports() throws {
        let (descriptor, port) = try LocalPort.listen()
        defer { close(descriptor) }
        let found = Doctor(machine: good).port("scheduler", port)
        #expect(found.verdict == .fail && found.found.contains("held by process \(getpid()) ("), "\(found)")
        #expect(Doctor(machine: good).port("page", port).verdict == .warn)
    }

    @Test("a directory that cannot be written fails, one that does not exist yet is judged by the one above")
    func disks() throws {
        let place = try temporary()
        defer { try? FileManager.default.removeItem(atPath: place) }
        #expect(Doctor(machine: good, directory: place + "/a/b").disk().verdict == .pass)
        let broken = Doctor(machine: good, directory: "/proc/self").disk()
        #expect(broken.verdict == .fail && broken.found.contains("cannot be written"), "\(broken)")
        var machine = good
        machine.freeDisk = { _ in 100 << 20 }
        let tight = Doctor(machine: machine, directory: place).disk()
        #expect(tight.verdict == .warn && tight.found.contains("100 MiB free"), "\(tight)")
        machine.freeDisk = { _ in nil }
        #expect(Doctor(machine: machine, directory: place).disk().verdict == .fail)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
    }

    @Test("the program: ulimit, a config against memory, json, and exit codes")
    func program() throws {
        let place = try temporary()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let (descriptor, port) = try LocalPort.listen()
        defer { close(descriptor) }
        var result = try shell("ulimit -n 60; exec $0 doctor --port \(port)", in: place)
        #expect(result.code == 70)
        #expect(result.output.contains("FAIL  open files   60 open files allowed"), "\(result.output)")
        #expect(result.output.contains("FAIL  port         \(port) (scheduler) is taken"))
        result = try shell(
            "$0 prepare synthetic --output world --users 60 --items 120 --categories 12 --impressions 40 >&2; "
                + "echo 'data: {directory: world}' > job.yaml; $0 doctor job.yaml --port \(try freePort()) -o json",
            in: place)
        #expect(result.output.contains("the tables will take") && result.output.contains("all readable"))
        let job = try Job(try ConfigReader.read(text: "data: {directory: \(place)/world}", name: "job"))
        var doctor = Doctor(machine: good, job: job, directory: place)
        #expect(doctor.memory().verdict == .pass && doctor.dataset().first?.verdict == .pass)
        let predicted = try #require(doctor.predictedBytes)
        // Each row with its count, step and index at least, and not much more.
        let rows = job.tables.reduce(0) { sum, table in
            sum + (job.dataset.info.ids[table.name] ?? 0) * (table.rowLayout.payloadBytes + 8 + 18)
        }
        let least = rows + job.model.layout.count * 16
        #expect((least...least * 11 / 10).contains(predicted.memory), "\(predicted.memory) of \(least)")
        doctor.machine.memoryQuota = predicted.memory - 1
        #expect(doctor.memory().verdict == .fail)
        doctor.machine.memoryQuota = predicted.memory * 5 / 4
        #expect(doctor.memory().verdict == .warn)
        // One worker and one shard, on as many cores as the control group allows.
        #expect(doctor.threads().verdict == .pass)
        doctor.machine.coreQuota = 0.5
        #expect(doctor.threads().verdict == .warn && doctor.threads().found.contains("0.5 allowed"))
        let kept = job.config.checkpoint.keep + 2
        for (free, verdict) in [
            (predicted.checkpoint * kept - 1, Finding.Verdict.fail), (predicted.checkpoint * kept, .warn),
            (predicted.checkpoint * kept * 2, .pass),
        ] {
            doctor.machine.freeDisk = { _ in free }
            #expect(doctor.disk().verdict == verdict, "\(doctor.disk())")
        }
        try FileManager.default.removeItem(atPath: place + "/world/test-00000.safetensors")
        #expect(doctor.dataset().first?.verdict == .fail)
        result = try shell("$0 doctor none.yaml", in: place)
        #expect(result.code == 65)
        result = try shell("$0 doctor --cluster tcp://127.0.0.1:1", in: place)
        #expect(result.code == 69)
    }

    private func freePort() throws -> Int {
        let (descriptor, port) = try LocalPort.listen()
        close(descriptor)
        return port
    }

    @Test(
        "a running cluster: speeds between everybody and every shard, none counted", arguments: ["ipc", "tcp", "train"])
    func cluster(transport: String) throws {
        let place = try temporary()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let start =
            transport == "train"
            ? "train job.yaml cluster.workers=2 cluster.shards=2"
            : "launch job.yaml --servers 2 --workers 2 cluster.transport=\(transport)"
        let result = try shell(
            """
            $0 prepare synthetic --output world --users 60 --items 120 --categories 12 --impressions 40 >&2
            echo 'data: {directory: world}' > job.yaml
            $0 \(start) --run run train.epochs=100000 train.evaluations=0 >&2 &
            for i in $(seq 300); do grep -q clock_skew_seconds run/status.json 2>/dev/null && break; sleep 0.1; done
            $0 doctor --cluster run 2>err; code=$?
            $0 doctor --cluster run -o json > found.json
            kill -INT %1; wait %1
            exit $code
            """, in: place)
        #expect(result.code == 0, "\(result.output)")
        let who = transport == "train" ? ["worker 0", "worker 1"] : ["doctor", "worker 0", "worker 1"]
        let cell = #/\d+ \/ \d[\d.]*, \d+ (µs|ms)/#
        for name in who {
            let line = result.output.split(separator: "\n").last { $0.hasPrefix(name + " ") }
            #expect(line?.matches(of: cell).count == 2, "\(result.output)")
        }
        #expect(result.output.contains("only its own workers reach") == (transport == "train"))
        #expect(result.output.contains("nodes' clocks agree with the scheduler's within"))
        #expect(try String(contentsOfFile: place + "/err", encoding: .utf8).contains("worker 1 of 2 measures"))
        struct Found: Decodable { let ways: [SpeedMatrix.Row] }
        let found = try TelemetryJSON.decode(
            Found.self, from: try Data(contentsOf: URL(filePath: place + "/found.json")))
        #expect(found.ways.map(\.who) == who && found.ways.allSatisfy { $0.paths.count == 2 })
        #expect(found.ways.flatMap(\.paths).allSatisfy { ($0.receivedMegabytesPerSecond ?? 0) > 0 })
        let status = try TelemetryJSON.decode(
            ClusterStatus.self, from: try Data(contentsOf: URL(filePath: place + "/run/status.json")))
        #expect(status.shards.count == 2 && status.shards.allSatisfy { $0.report.refused.isEmpty })
    }

    @Test("a server that is stopped: each of its shards fails for everybody who asks, the others are measured")
    func stoppedServer() throws {
        let place = try temporary()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let result = try shell(
            """
            $0 prepare synthetic --output world --users 60 --items 120 --categories 12 --impressions 40 >&2
            echo 'data: {directory: world}' > job.yaml
            $0 launch job.yaml --servers 2 --workers 1 --run run train.epochs=100000 train.evaluations=0 \
                cluster.silence=60 >&2 &
            for i in $(seq 300); do grep -q '"event":"progress"' run/metrics.jsonl 2>/dev/null && break; sleep 0.1; done
            for p in $(grep -l "^PPid:[[:space:]]*$!$" /proc/[0-9]*/status 2>/dev/null); do
                tr '\\0' ' ' < ${p%status}cmdline | grep -q ' server .*--rank 1' && server=$(basename ${p%/status})
            done
            kill -STOP $server
            $0 doctor --cluster run; code=$?
            kill -CONT $server
            kill -INT %1; wait %1
            exit $code
            """, in: place)
        #expect(result.code == 70)
        let failed = result.output.split(separator: "\n").filter { $0.hasPrefix("FAIL  shard 1 ") }
        #expect(failed.count == 2, "\(result.output)")
        #expect(failed.contains { $0.contains("does not answer worker 0 on ") })
        #expect(result.output.contains(#/\nworker 0 +\d+ \/ \d+, \d+ (µs|ms) +no answer/#), "\(result.output)")
    }
}
