import Foundation
import Telemetry
import Testing
import Yams

/// What keeps a deployed job safe stands in a few lines of its files: none of them may go unnoticed.
@Suite struct DeploymentFilesTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: Script.root + "/" + path, encoding: .utf8)
    }

    @Test("every service of compose.yaml may do nothing but its work, and hears TERM")
    func compose() throws {
        let file = try #require(try Yams.load(yaml: try text("cluster/compose.yaml")) as? [String: Any])
        let services = try #require(file["services"] as? [String: [String: Any]])
        #expect(services.keys.sorted() == ["scheduler", "server", "worker"])
        for (name, service) in services {
            let whole = (service["<<"] as? [String: Any] ?? [:]).merging(service) { $1 }
            #expect(whole["read_only"] as? Bool == true, "\(name)")
            #expect(whole["cap_drop"] as? [String] == ["ALL"], "\(name)")
            #expect(whole["security_opt"] as? [String] == ["no-new-privileges:true"], "\(name)")
            #expect(whole["init"] as? Bool == true, "\(name)")
            #expect(whole["stop_grace_period"] as? String == "2m", "\(name)")
            let entry = whole["entrypoint"] as? [String] ?? []
            #expect(entry.joined(separator: " ").contains("exec myriad \"$$@\""), "\(name): the shell stays")
        }
    }

    @Test("slurm.sbatch asks for its signal and for being requeued, and its two steps share the job's memory")
    func slurm() throws {
        let lines = try text("cluster/slurm.sbatch").split(separator: "\n").map(String.init)
        let wishes = Set(lines.filter { $0.hasPrefix("#SBATCH ") }.map { String($0.dropFirst("#SBATCH ".count)) })
        #expect(wishes.isSuperset(of: ["--signal=B:TERM@120", "--requeue", "--open-mode=append"]), "\(wishes)")
        let steps = lines.filter { $0.contains("--exact") }
        #expect(steps.count == 1 && steps.allSatisfy { $0.contains("--mem=0") })
    }

    @Test("the image is made of what the Dockerfile copies, and .dockerignore lets that through")
    func image() throws {
        let lines = try text("cluster/Dockerfile").split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        let sources = lines.filter { $0.first == "COPY" && !$0[1].hasPrefix("--from") }.flatMap { $0[1..<$0.count - 1] }
        let rules = try text(".dockerignore").split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        #expect(rules.first == "*")
        #expect(Set(rules.dropFirst()) == Set(sources.map { "!\($0)" }))
        for source in sources {
            #expect(FileManager.default.fileExists(atPath: "\(Script.root)/\(source)"), "\(source)")
        }
        #expect(lines.contains(["USER", "10001:10001"]) && lines.contains { $0.first == "ENTRYPOINT" })
    }

    /// A manifest of a job whose names mean something else to YAML, from a config that an editor of Windows wrote.
    @Test("names such as `on` and `2024`, line ends of Windows and line breaks in a command stay what they are")
    func hostileNames() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "render-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        let config = "\u{feff}data: {directory: world}\r\n# a remark\r\nmodel:\r\n  kind: din\r\n"
        try config.write(toFile: place + "/on.yaml", atomically: true, encoding: .utf8)
        let image = "here/my\"riad\\:1\u{85}\nkind: Secret"
        let result = try Script.program([
            "render", "kubernetes", place + "/on.yaml", "--data-claim", "2024", "--runs-claim", "1e3", "--namespace",
            "null", "--server-memory", "4", "--image", image, "--data-path", "~",
        ])
        #expect(result.code == 0, "\(result.errors)")
        let objects = try Yams.load_all(yaml: result.output).compactMap { $0 as? [String: Any] }
        try #require(objects.count == 6)
        #expect(!objects.contains { $0["kind"] as? String == "Secret" })
        for object in objects {
            let metadata = try #require(object["metadata"] as? [String: Any])
            #expect(metadata["name"] is String && metadata["namespace"] as? String == "null", "\(metadata)")
            let labels = try #require(metadata["labels"] as? [String: Any])
            #expect(labels["app.kubernetes.io/instance"] as? String == "on", "\(labels)")
        }
        let text = try #require((objects[0]["data"] as? [String: Any])?["job.yaml"] as? String)
        #expect(text == "data: {directory: world}\n# a remark\nmodel:\n  kind: din\n")
        func values(_ key: String, of value: Any) -> [Any] {
            switch value {
            case let map as [String: Any]: map.flatMap { ($0.key == key ? [$0.value] : []) + values(key, of: $0.value) }
            case let list as [Any]: list.flatMap { values(key, of: $0) }
            default: []
            }
        }
        let claims = Set(values("claimName", of: objects).map { $0 as? String })
        #expect(claims == ["2024", "1e3"], "\(claims)")
        #expect(values("image", of: objects).allSatisfy { $0 as? String == image })
        #expect(values("imagePullPolicy", of: objects).count == 3)
        #expect(values("memory", of: objects).allSatisfy { $0 is String })
        #expect(values("subPath", of: objects).allSatisfy { $0 as? String == "~" })
        let jobs = values("env", of: objects).flatMap { $0 as? [[String: Any]] ?? [] }
            .filter { $0["name"] as? String == "MYRIAD_JOB" }
        #expect(jobs.count == 2 && jobs.allSatisfy { $0["value"] as? String == "on" })
    }

    @Test("the scheduler's memory grows with the cluster, and can be said")
    func schedulerMemory() throws {
        func memory(_ arguments: String...) throws -> String {
            let text = try Script.program(["render", "kubernetes", "configs/din.yaml"] + arguments).output
            let lines = text.split(separator: "\n").filter { $0.contains("cpu: 500m") }
            return lines.count == 1 ? String(lines[0].split(separator: "\"")[1]) : text
        }
        #expect(try memory("cluster.servers=1", "cluster.workers=1") == "1280Mi")
        #expect(try memory("cluster.servers=64", "cluster.shards=4", "cluster.workers=512") == "2048Mi")
        #expect(try memory("--scheduler-memory", "8Gi") == "8Gi")
    }
}
