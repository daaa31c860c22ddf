import Display
import Foundation
import Job
import Synchronization
import Telemetry
import Tensors
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
        run?.log("started")
        let lines = try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix(#"{"event":"started""#), "\(lines)")
        // A full disk, which is told of the scheduler's log too.
        let own = try #require(run)
        own.say("begins")
        for name in ["metrics.jsonl", "logs/scheduler.log"] { try fill("\(path)/\(name)") }
        for _ in 0..<2 { own.log("started") }
        for _ in 0..<3 { own.say("goes on") }
        #expect(own.failedWrites == ["metrics.jsonl": 2, "logs/scheduler.log": 3])
        #expect(try String(contentsOfFile: path + "/logs/scheduler.log", encoding: .utf8).hasSuffix(" begins\n"))
    }

    /// Puts a disk that is full in the place of a file that this process has open.
    private func fill(_ path: String) throws {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let whole = try #require(realpath(path, nil).map { String(cString: $0) })
        let links = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let found = try #require(
            links.first { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == whole }
        )
        #expect(dup2(full, found) == found)
    }

    @Test("a run's directory in another run, a checkpoint or a dataset is refused before anything is made there")
    func places() throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "places-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let files = FileManager.default
        let run = "\(parent)/run"
        _ = try RunDirectory(path: run, config: JobConfig(), resumes: false)
        for directory in ["\(run)/checkpoints/step-00000010", "\(parent)/step-00000020", "\(parent)/world"] {
            try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for name in ["manifest.json", "dataset.yaml"] {
                try "".write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8)
            }
        }
        symlink(run, parent + "/link")
        let before = try files.subpathsOfDirectory(atPath: parent).sorted()
        for (path, words) in [
            ("\(run)/checkpoints", "lies in the run"), ("\(run)/checkpoints/x/y", "lies in the run"),
            ("\(run)/logs/../x", "lies in the run"), ("\(parent)/link/x", "lies in the run"),
            ("\(run)/checkpoints/step-00000010/x", "lies in the checkpoint"),
            ("\(parent)/step-00000020", "lies in the checkpoint"), ("\(parent)/world", "is a dataset's directory"),
            ("\(parent)/world.partial", "is half written"), ("\(parent)/a\nb", "has a control character"),
            ("\(parent)/a\u{85}b", "has a control character"),
            ("\(parent)/" + String(repeating: "a/", count: 2100), "more than the 4096"),
        ] {
            do {
                _ = try RunLock(path)
                Issue.record("\(path) was taken")
            } catch {
                #expect("\(error)".contains(words) && "\(error)".contains("--run"), "\(error)")
            }
        }
        #expect(throws: Complaint.self) { try RunLock(free: "x.yaml", in: "\(run)/runs") }
        #expect(throws: Complaint.self) {
            try Comparison(configs: [], seeds: 1, data: nil, overrides: [], output: "\(run)/compare")
        }
        #expect(try files.subpathsOfDirectory(atPath: parent).sorted() == before)
        for path in ["", "/", "/tmp/.."] { #expect(throws: Complaint.self) { try RunLock(path) } }
        // Beside them, and again in its own, also with a directory of somebody's among its logs.
        try files.createDirectory(atPath: "\(run)/logs/archive", withIntermediateDirectories: true)
        _ = try RunLock("\(parent)/other")
        _ = try RunDirectory(path: "\(parent)/link", config: JobConfig(), resumes: true)
    }

    @Test("a pipe or a directory in the place of a file of a run is refused by name and waited for by nobody")
    func kinds() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kinds-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func start() throws { _ = try RunDirectory(path: path, config: JobConfig(), resumes: true) }
        try start()
        let files = [
            "config.yaml", "metrics.jsonl", "status.json", "failure.json", "starts", "lock", "began.json",
            "logs/scheduler.log", "logs/server-0.log",
        ]
        for name in files {
            let file = "\(path)/\(name)"
            let whole = FileManager.default.contents(atPath: file)
            unlink(file)
            for (make, words) in [
                ({ mkfifo($0, 0o600) }, "is a pipe"), ({ mkdir($0, 0o700) }, "is a directory"),
                ({ symlink("/dev/zero", $0) }, "is a device"),
            ] as [((String) -> Int32, String)] {
                #expect(make(file) == 0)
                do {
                    try start()
                    Issue.record("\(name) was taken")
                } catch {
                    #expect("\(error)".contains("\(file) \(words)") && "\(error)".contains("remove it"), "\(error)")
                }
                // Who only looks does not wait either.
                _ = try? RecordedRun(directory: path)
                _ = Record.series(in: path)
                var looked = RunFiles()
                _ = looked.status(in: path)
                _ = LogTail.lines(of: file)
                let logs = LogReader(directory: path + "/logs")
                _ = logs.read()
                #expect(remove(file) == 0)
            }
            if let whole { try whole.write(to: URL(filePath: file)) }
        }
        for name in ["checkpoints", "logs"] {
            try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            #expect(mkfifo("\(path)/\(name)", 0o600) == 0)
            #expect(throws: Complaint.self) { try start() }
            unlink("\(path)/\(name)")
        }
        try start()
    }

    @Test("a run that begins anew leaves alone what it did not make")
    func clears() throws {
        let files = FileManager.default
        let path = files.temporaryDirectory.appending(path: "clears-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: path) }
        let lock = try RunLock(path)
        _ = try RunDirectory(path: path, config: JobConfig(), resumes: false, lock: lock)
        try files.createDirectory(atPath: path + "/mine", withIntermediateDirectories: true)
        for name in ["notes.txt", "mine/notes.txt", "config.yaml.partial", "status.json"] {
            try "".write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        }
        try lock.clear()
        #expect(try files.contentsOfDirectory(atPath: path).sorted() == ["lock", "mine", "notes.txt"])
        #expect(files.fileExists(atPath: path + "/mine/notes.txt"))
    }

    @Test("whenever a start from a state is ended, nobody takes it for a start from nothing")
    func endedAsItBegan() throws {
        let files = FileManager.default
        let path = files.temporaryDirectory.appending(path: "ended-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: path) }
        let record = Resumption.Record(
            checkpoint: "/away/step-00000004", manifest: "m", step: 4, resetsOptimizer: false)
        // The configuration, which makes the directory a run, comes after the record: without one it cannot be written.
        try files.createDirectory(atPath: path + "/config.yaml.partial/x", withIntermediateDirectories: true)
        #expect(throws: SafetensorsError.self) {
            try RunDirectory(path: path, config: JobConfig(), resumes: false, began: record)
        }
        #expect(try Resumption.Record.read(in: path)?.record.checkpoint == record.checkpoint)
        #expect(!files.fileExists(atPath: path + "/config.yaml"))
        do {
            _ = try Continuation(run: path, config: JobConfig())
            Issue.record("it begins from nothing")
        } catch {
            #expect("\(error)".contains("--resume /away/step-00000004"), "\(error)")
        }
        // A new run there does not keep what another one began with.
        try files.removeItem(atPath: path + "/config.yaml.partial")
        _ = try RunDirectory(path: path, config: JobConfig(), resumes: false)
        #expect(try Resumption.Record.read(in: path) == nil)
    }
}
