import Cluster
import Foundation
import Telemetry
import Testing

/// Where sockets lie in the file system: nobody else gets in, and nothing stays behind.
@Suite struct PrivateDirectoryTests {
    /// Owner and mode of what is at a path itself; nil when nothing is.
    private func found(_ path: String) -> (owner: UInt32, mode: UInt32)? {
        var found = stat()
        return lstat(path, &found) == 0 ? (found.st_uid, found.st_mode & 0o7777) : nil
    }

    /// The directory of the scheduler's socket, as a run's status tells it.
    private func sockets(_ cluster: FaultyCluster) throws -> String {
        let data = try #require(FileManager.default.contents(atPath: cluster.directory + "/run/status.json"))
        let scheduler = try TelemetryJSON.decode(ClusterStatus.self, from: data).job.scheduler
        #expect(scheduler.hasPrefix("ipc:///"), "\(scheduler)")
        return (String(scheduler.dropFirst("ipc://".count)) as NSString).deletingLastPathComponent
    }

    @Test(
        "a directory that somebody made before under the name of a process is not used", arguments: ["train", "launch"])
    func hostile(command: String) throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start(
            [command, "job.yaml", "--run", "run"] + FaultyCluster.endless,
            after: "mkdir -m 777 /tmp/myriad-$$ && touch /tmp/myriad-$$/here")
        let pid = cluster.pid(of: number)
        defer { try? FileManager.default.removeItem(atPath: "/tmp/myriad-\(pid)") }
        try #require(Local.wait { !cluster.lines("started").isEmpty }, "\(cluster.errors(of: number))")
        try #require(Local.wait { (try? sockets(cluster)) != nil })
        let place = try sockets(cluster)
        #expect(place != "/tmp/myriad-\(pid)")
        let now = try #require(found(place))
        #expect(now.owner == geteuid() && now.mode == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/tmp/myriad-\(pid)") == ["here"])
        #expect(try cluster.program.run("status", "run").code == 0)
        kill(pid, SIGTERM)
        #expect(cluster.end(of: number) == 143)
        #expect(found(place) == nil, "it is left behind")
    }

    @Test("a killed launcher's directory goes with its children")
    func killed() throws {
        let cluster = try FaultyCluster()
        let launcher = try cluster.launch()
        try #require(Local.wait { (try? sockets(cluster)) != nil })
        let place = try sockets(cluster)
        #expect(found(place) != nil)
        kill(cluster.pid(of: launcher), SIGKILL)
        #expect(Local.wait { found(place) == nil }, "\(place) is left behind")
    }

    @Test("what a killed process left is removed by the next; what is another's, or no directory, stays")
    func sweep() throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "sweep-\(UUID().uuidString)").path
        let files = FileManager.default
        try files.createDirectory(atPath: parent, withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: parent) }
        func make(_ name: String, mode: mode_t) {
            mkdir("\(parent)/\(name)", 0o700)
            _ = files.createFile(atPath: "\(parent)/\(name)/file", contents: nil)
            var found = stat()
            lstat("\(parent)/\(name)", &found)
            // A directory of one's own holds no such file, and a copy of one that does has another number.
            let number = name.hasSuffix("copy1234") ? found.st_ino + 1 : found.st_ino
            let words = "Myriad made directory \(number), and removes it when its process has ended.\n"
            if name != "myriad-datasets" {
                _ = files.createFile(atPath: "\(parent)/\(name)/made-by-myriad", contents: Data(words.utf8))
            }
            chmod("\(parent)/\(name)", mode)
        }
        for (name, mode) in [
            ("myriad-deadDEAD", 0o700), ("myriad-openOPEN", 0o755), ("myriad-other123", 0o700),
            ("myriad-longer-name", 0o700), ("myriad-datasets", 0o700), ("myriad-copy1234", 0o700),
            ("somebodys-files", 0o700),
        ] as [(String, mode_t)] {
            make(name, mode: mode)
        }
        symlink("\(parent)/somebodys-files", "\(parent)/myriad-linkLINK")
        // Only root can make what is another's.
        let isAnothers = chown("\(parent)/myriad-other123", 65_534, 65_534) == 0
        let first = try PrivateDirectory(in: parent)
        let second = try PrivateDirectory(in: parent)
        #expect(found(first.path)?.mode == 0o700 && found(second.path)?.mode == 0o700 && first.path != second.path)
        #expect(found("\(parent)/myriad-deadDEAD") == nil)
        let left = [
            "myriad-datasets", "myriad-copy1234", "myriad-openOPEN", "myriad-longer-name", "myriad-linkLINK",
            "somebodys-files",
        ]
        for name in left + (isAnothers ? ["myriad-other123"] : []) {
            #expect(found("\(parent)/\(name)") != nil, "\(name)")
        }
        #expect(files.fileExists(atPath: "\(parent)/somebodys-files/file"))
        first.remove()
        #expect(found(first.path) == nil && found(second.path) != nil)
        #expect(throws: Complaint.self) { try PrivateDirectory(in: "\(parent)/nowhere") }
    }
}
