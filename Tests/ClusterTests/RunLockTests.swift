import Foundation
import Job
import Synchronization
import Testing

@testable import Cluster

/// A run's directory belongs to one process at a time.
@Suite struct RunLockTests {
    /// What two threads come to that begin at the same instant.
    private func pair<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) -> [Result] {
        let results = Mutex<[Result]>([])
        let ready = Atomic(0)
        let group = DispatchGroup()
        for _ in 0..<2 {
            group.enter()
            Thread {
                ready.add(1, ordering: .relaxed)
                while ready.load(ordering: .relaxed) < 2 {}
                if let result = try? body() { results.withLock { $0.append(result) } }
                group.leave()
            }.start()
        }
        group.wait()
        return results.withLock { $0 }
    }

    @Test("of 50 pairs of starts at the same instant none shares a directory, with a name or without")
    func pairs() throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "locks-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let config = JobConfig()
        for number in 0..<50 {
            let unnamed = pair { try RunLock(free: "configs/din.yaml", in: parent) }
            #expect(Set(unnamed.map(\.directory)).count == 2)
            let named = pair { try RunDirectory(path: "\(parent)/named-\(number)", config: config, resumes: false) }
            #expect(named.count == 1)
            let continued = pair { try RunDirectory(path: "\(parent)/going-\(number)", config: config, resumes: true) }
            #expect(continued.count == 1)
        }
        // Of the unnamed nothing came: they are gone.
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent).count == 100)
    }

    @Test("beside a live run --continue and --run are refused with host and process, and nothing there changes")
    func live() throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start(["train", "job.yaml", "--run", "run"] + FaultyCluster.endless)
        try #require(Local.wait { !cluster.lines("started").isEmpty }, "\(cluster.errors(of: number))")
        let partial = cluster.directory + "/run/checkpoints/step-00999999.partial"
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        for command in ["train", "launch"] {
            let result = try cluster.program.run(
                [command, "job.yaml", "--run", "run", "--continue"] + FaultyCluster.endless)
            #expect(result.code == 69, "\(result.errors)")
            #expect(
                result.errors.contains(
                    "run is in use by process \(cluster.pid(of: number)) on \(ProcessInfo.processInfo.hostName), since"),
                "\(result.errors)")
        }
        #expect(FileManager.default.fileExists(atPath: partial))
        #expect(cluster.lines("started").count == 1)
        // Whoever is dead has no lock, and what it left half written goes.
        kill(cluster.pid(of: number), SIGKILL)
        _ = cluster.end(of: number)
        let again = try cluster.program.run(
            "train", "job.yaml", "--run", "run", "--continue", "train.max_steps=5", "train.epochs=100000")
        #expect(again.code == 0, "\(again.errors)")
        #expect(!FileManager.default.fileExists(atPath: partial))
    }

    @Test("what cannot be written of a run's records is told once and counted, and a torn line spoils no other")
    func records() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var run: RunDirectory? = try RunDirectory(path: path, config: JobConfig(), resumes: false)
        try FileManager.default.createDirectory(atPath: path + "/failure.json/x", withIntermediateDirectories: true)
        for _ in 0..<3 { run?.write(Data("{}".utf8), to: "failure.json") }
        #expect(run?.failedWrites == ["failure.json": 3])
        run = nil
        try FileManager.default.removeItem(atPath: path + "/failure.json")
        try #"{"event":"progr"#.write(toFile: path + "/metrics.jsonl", atomically: false, encoding: .utf8)
        run = try RunDirectory(path: path, config: JobConfig(), resumes: true)
        run?.log(["event": .text("started")])
        let lines = try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix(#"{"event":"started""#), "\(lines)")
        // A full disk.
        run = nil
        unlink(path + "/metrics.jsonl")
        symlink("/dev/full", path + "/metrics.jsonl")
        run = try RunDirectory(path: path, config: JobConfig(), resumes: true)
        for _ in 0..<2 { run?.log(["event": .text("started")]) }
        #expect(run?.failedWrites == ["metrics.jsonl": 2])
    }
}
