import Foundation
import Processes
import Testing

@Suite(.serialized) struct FaultTests {
    /// Sends bytes to a local port until nobody takes them.
    private func send(_ bytes: [UInt8], to port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else { return }
        _ = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    @Test("a wrong config, missing data and a missing checkpoint end with code 65, the place and the remedy")
    func badInput() throws {
        let program = try Program()
        try program.prepareWorld()
        try "data: {directory: world}\ntrain:\n  epohcs: 3\n".write(
            toFile: program.directory + "/bad.yaml", atomically: true, encoding: .utf8)
        var result = try program.run("train", "bad.yaml")
        #expect(result.code == 65)
        #expect(result.errors.contains("bad.yaml:3: unknown key 'train.epohcs'; did you mean 'epochs'?"))
        result = try program.run("config", "check", "none.yaml")
        #expect(result.code == 65 && result.errors.contains("none.yaml: "))
        result = try program.run("launch", "job.yaml", "data.directory=nowhere")
        #expect(result.code == 65 && result.errors.contains("nowhere: holds no readable dataset.yaml"))
        #expect(result.errors.contains("myriad prepare"))
        result = try program.run("evaluate", "nowhere")
        #expect(result.code == 65 && result.errors.contains("nowhere holds no checkpoint"))
        result = try program.run("train", "job.yaml", "train.max_steps=2", "--run", "once")
        #expect(result.code == 0)
        result = try program.run("train", "job.yaml", "--run", "once")
        #expect(result.code == 65 && result.errors.contains("once holds a run already"))
    }

    @Test("a busy port ends with code 69 and names the address")
    func busyPort() throws {
        let program = try Program()
        try program.prepareWorld()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let first = try program.start(["scheduler", "job.yaml", "--listen", endpoint, "--run", "first"])
        defer { first.terminate() }
        #expect(Local.wait { FileManager.default.fileExists(atPath: program.directory + "/first/config.yaml") })
        var result = try program.run("scheduler", "job.yaml", "--listen", endpoint, "--run", "second")
        if result.code == 70 {
            result = try program.run("scheduler", "job.yaml", "--listen", endpoint, "--run", "third")
        }
        #expect(result.code == 69)
        #expect(result.errors.contains("cannot listen on \(endpoint): Address already in use"))
    }

    @Test("a worker that is killed ends the job with code 70, is named, and takes everybody with it")
    func killedWorker() throws {
        let program = try Program()
        try program.prepareWorld()
        let path = program.directory + "/errors"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let launcher = try program.start(
            [
                "launch", "job.yaml", "train.max_steps=0", "train.epochs=100000", "--servers", "2", "--workers", "2",
                "--run", "run",
            ],
            errors: try #require(FileHandle(forWritingAtPath: path)))
        var all: [Int32] = []
        #expect(
            Local.wait {
                all = Local.children(of: launcher.processIdentifier)
                return all.count == 4
            })
        let victim = try #require(
            all.first { number in
                (try? String(contentsOfFile: "/proc/\(number)/cmdline", encoding: .utf8))?.contains("worker") == true
            })
        kill(victim, SIGKILL)
        launcher.waitUntilExit()
        #expect(launcher.terminationStatus == 70)
        let errors = try String(contentsOfFile: path, encoding: .utf8)
        #expect(errors.contains("was killed by signal 9 (SIGKILL)"), "\(errors)")
        #expect(errors.contains("process \(victim) on "), "\(errors)")
        #expect(errors.contains("run/logs/worker-"))
        #expect(Local.wait { !all.contains(where: Local.isAlive) })
    }

    @Test(
        "Ctrl-C stops a cluster with code 130, and no process survives a launcher that is killed",
        arguments: [SIGINT, SIGKILL])
    func stopped(by number: Int32) throws {
        let program = try Program()
        try program.prepareWorld()
        let launcher = try program.start(
            [
                "launch", "job.yaml", "train.max_steps=0", "train.epochs=100000", "--servers", "2", "--workers", "2",
                "--run", "run",
            ])
        var all: [Int32] = []
        #expect(
            Local.wait {
                all = Local.children(of: launcher.processIdentifier)
                let log = (try? String(contentsOfFile: program.directory + "/run/metrics.jsonl", encoding: .utf8)) ?? ""
                return all.count == 4 && log.contains("started")
            })
        kill(launcher.processIdentifier, number)
        launcher.waitUntilExit()
        if number == SIGINT { #expect(launcher.terminationStatus == 130) }
        #expect(Local.wait { !all.contains(where: Local.isAlive) })
    }

    @Test("roles started by hand in any order, with garbage on every port, train to the same bits")
    func byHand() throws {
        let program = try Program()
        try program.prepareWorld()
        #expect(try program.run("train", "job.yaml", "--run", "reference").code == 0)
        let ports = [try Local.freePort(), try Local.freePort(), try Local.freePort()]
        let scheduler = "tcp://127.0.0.1:\(ports[0])"
        var all = [try program.start(["worker", "--scheduler", scheduler])]
        for port in ports[1...] {
            all.append(
                try program.start([
                    "server", "--scheduler", scheduler, "--listen", "tcp://127.0.0.1:\(port)", "--checkpoints",
                    "run/checkpoints",
                ]))
        }
        all.append(try program.start(["worker", "--scheduler", scheduler]))
        let path = program.directory + "/errors"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let last = try program.start(
            [
                "scheduler", "job.yaml", "cluster.servers=2", "cluster.workers=2", "--listen", scheduler, "--run",
                "run",
            ], errors: try #require(FileHandle(forWritingAtPath: path)))
        var garbage: UInt64 = 88_172_645_463_325_252
        while last.isRunning {
            for port in ports {
                let bytes = (0..<512).map { _ in
                    garbage ^= garbage << 13
                    garbage ^= garbage >> 7
                    garbage ^= garbage << 17
                    return UInt8(truncatingIfNeeded: garbage)
                }
                send(bytes, to: port)
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        last.waitUntilExit()
        let errors = try String(contentsOfFile: path, encoding: .utf8)
        #expect(last.terminationStatus == 0, "\(errors)")
        for process in all {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        #expect(try program.digest("run") == (try program.digest("reference")))
    }

    @Test("a malformed line is set aside and named; too many end the preparation")
    func malformedLines() throws {
        let program = try Program()
        var lines = "user,item,time\n"
        for number in 0..<200 { lines += "u\(number % 10),i\(number % 37),\(number)\n" }
        try (lines + "u1,i2,noon\n").write(toFile: program.directory + "/log.csv", atomically: true, encoding: .utf8)
        try "separator: comma\ntime: time\n".write(
            toFile: program.directory + "/schema.yaml", atomically: true, encoding: .utf8)
        var result = try program.run("prepare", "delimited", "log.csv", "--schema", "schema.yaml", "--output", "good")
        #expect(result.code == 0 && result.output.contains("1 of 201 lines set aside: see good/quarantine.txt"))
        let quarantine = try String(contentsOfFile: program.directory + "/good/quarantine.txt", encoding: .utf8)
        #expect(quarantine.contains("log.csv:202: time 'noon' is no number: u1,i2,noon"))
        result = try program.run(
            "prepare", "delimited", "log.csv", "--schema", "schema.yaml", "--output", "bad", "--bad-lines", "0")
        #expect(result.code == 65 && result.errors.contains("log.csv:202: time 'noon' is no number. 1 of 201 lines"))
        #expect(!FileManager.default.fileExists(atPath: program.directory + "/bad"))
    }
}
