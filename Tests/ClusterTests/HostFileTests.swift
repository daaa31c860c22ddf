import Cluster
import Foundation
import Processes
import Scheduler
import Telemetry
import Testing
import Wire

/// Hosts files: what is read, what is refused and how, and who is placed where.
struct HostFileTests {
    private func hosts(_ text: String) throws -> HostFile { try HostFile(text: text, path: "hosts") }

    private func problem(_ text: String) -> String {
        do {
            _ = try hosts(text)
            return "nothing is wrong"
        } catch {
            return "\(error)"
        }
    }

    private func names(_ text: String, servers: Int, workers: Int) throws -> [String] {
        try hosts(text).place(servers: servers, workers: workers).map {
            "\($0.member): \($0.host.name)"
        }
    }

    @Test(
        "a hosts file may have a name of one character, with its other files beside it", arguments: ["h", "/h", "d/h"])
    func shortName(path: String) throws {
        let file = try HostFile(text: "a slots=2", path: path)
        #expect(file.hosts[0].name == "a")
    }

    @Test("a hosts file may begin with a byte order mark; a pipe is no hosts file and no environment")
    func files() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "hosts-\(UUID().uuidString)").path
        defer { unlink(path) }
        try "\u{feff}a slots=2".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try HostFile(path: path).hosts.map(\.name) == ["a"])
        unlink(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect { try HostFile(path: path) } throws: { "\($0)".contains("\(path) is not a regular file") }
        #expect(problem("a env=\(path)").contains("hosts:1: env=\(path): cannot be read (\(path) is not a regular"))
    }

    @Test("every word of a line is read, comments and blank lines are not")
    func words() throws {
        let file = try hosts(
            """
            # two hosts

            node1
            \talice@node2 slots=4  role=worker port=2222 dir=~/job program=/opt/myriad # the large one\r
            node3 dir=/data role=server
            """)
        #expect(file.hosts.map(\.name) == ["node1", "alice@node2", "node3"])
        #expect(file.hosts.map(\.slots) == [1, 4, 1] && file.hosts.map(\.role) == [.any, .worker, .server])
        #expect(file.hosts[1].port == 2222 && file.hosts[0].port == nil)
        #expect(file.hosts.map(\.directory) == [nil, "~/job", "/data"] && file.hosts[1].program == "/opt/myriad")
    }

    @Test("the example is a hosts file")
    func example() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let file = try HostFile(path: root + "/cluster/hosts.example")
        #expect(file.hosts.map(\.name) == ["node1", "node2"])
    }

    @Test("all that is wrong is told at once, each with its line and what to write")
    func problems() {
        let text = problem(
            "slots=2\nnode1 solts=2 port=0\nnode2 slots=none role=boss\n\nnode1 dir=here program=a/b\nx y")
        let lines = text.split(separator: "\n")
        #expect(lines.count == 8, "\(text)")
        #expect(text.contains("hosts:1: 'slots=2' is no host"))
        #expect(text.contains("hosts:2: solts= is not known: did you mean slots?"))
        #expect(text.contains("hosts:2: port=0: say where its ssh server listens, 1 to 65535"))
        #expect(text.contains("hosts:3: slots=none: say how many processes may run there, 1 to 65535"))
        #expect(text.contains("hosts:3: role=boss: say server, worker or any"))
        #expect(text.contains("hosts:5: dir=here: say a directory of that host from / or from ~/"))
        #expect(text.contains("hosts:5: program=a/b: say its whole path"))
        #expect(text.contains("hosts:6: 'y' is not understood"))
        #expect(problem("-oProxyCommand=x").contains("is no host"))
        #expect(problem("a slots=9223372036854775807\nb").contains("hosts:1: slots=9223372036854775807: say how many"))
        #expect(problem("a slots=2 slots=3").contains("hosts:1: slots=3: slots= stands here twice: leave one of them"))
        #expect(problem("a slots=2\na slots=1").contains("hosts:2: a has a line already"))
        #expect(problem("# nobody\n").contains("hosts: names no host"))
    }

    @Test("an environment file is read literally, and what looks like a secret is refused with its line")
    func environment() throws {
        let variables = try EnvironmentFile.parse(
            "# some\n\nA=1\n_b2=it's \"x\" = $Y # z\nEMPTY=\n", path: "some.env")
        #expect(variables == ["A=1", "_b2=it's \"x\" = $Y # z", "EMPTY="])
        for name in ["AWS_SECRET_ACCESS", "api_key", "GITHUB_TOKEN", "DbPassword"] {
            let error = #expect(throws: Complaint.self) {
                try EnvironmentFile.parse("A=1\n\(name)=hidden-value", path: "some.env")
            }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains("some.env:2: \(name) looks like a secret") && !text.contains("hidden-value"))
        }
        let error = #expect(throws: Complaint.self) {
            try EnvironmentFile.parse("2A=1\nB C=2\nD", path: "some.env")
        }
        #expect(error?.description.split(separator: "\n").count == 3)
    }

    @Test("servers are spread over hosts before a second one shares a host, workers fill up in order")
    func spread() throws {
        #expect(
            try names("a slots=3\nb slots=2", servers: 2, workers: 3)
                == ["server 0: a", "server 1: b", "worker 0: a", "worker 1: a", "worker 2: b"])
        #expect(
            try names("a slots=3\nb slots=2", servers: 3, workers: 1)
                == ["server 0: a", "server 1: b", "server 2: a", "worker 0: a"])
    }

    @Test("roles are kept, and a server takes no slot without which a worker would have none")
    func roles() throws {
        #expect(
            try names("w slots=2 role=worker\na\ns slots=2 role=server", servers: 2, workers: 2)
                == ["server 0: s", "server 1: a", "worker 0: w", "worker 1: w"])
        #expect(
            try names("s slots=2 role=server\na\nb", servers: 2, workers: 2)
                == ["server 0: s", "server 1: s", "worker 0: a", "worker 1: b"])
    }

    @Test("every request that the slots can hold is placed, every other is refused with the numbers")
    func allPlacements() throws {
        let text = "s slots=2 role=server\na slots=2\nw slots=1 role=worker\nb slots=1"
        let file = try hosts(text)
        for servers in 1...6 {
            for workers in 1...6 {
                let isPossible = servers <= 5 && workers <= 4 && servers + workers <= 6
                do {
                    let places = try file.place(servers: servers, workers: workers)
                    #expect(isPossible && Set(places.map(\.member)).count == servers + workers)
                    for host in file.hosts {
                        let here = places.filter { $0.host == host }
                        #expect(here.count <= host.slots)
                        #expect(here.allSatisfy { host.role == .any || "\($0.member.role)" == host.role.rawValue })
                    }
                } catch {
                    #expect(
                        !isPossible && error.description.contains("6 slots (2 for servers, 1 for workers, 3 for any)"))
                }
            }
        }
        let error = #expect(throws: Complaint.self) {
            try hosts("a\nb").place(servers: 1, workers: 2)
        }
        #expect(error?.description.contains("hosts: has 2 slots, and 1 server and 2 workers need one each") == true)
    }

    @Test("a shell gets back every word that was quoted for it")
    func quoting() throws {
        let words = ["plain", "", "it's", "a b", "$HOME `x` \\ \"q\" *", "line\nbreak", "--flag=~/x", "#"]
        let process = Child()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf '%s\\0' " + ShellWord.line(words)]
        let pipe = Pipe()
        process.standardOutput = pipe.fileHandleForWriting
        try process.run()
        try pipe.fileHandleForWriting.close()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let read = data.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(read.dropLast() == words[...])
    }
}
