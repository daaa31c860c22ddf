import Foundation
import Processes
import Synchronization
import Testing

/// Were an end missed, launchers and the other tests would hang or blame the program.
struct ChildTests {
    /// Waits until something is so; false when it is not after 30 s.
    private func wait(_ isSo: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            if isSo() { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    /// A process that is yet to be run.
    private func child(_ program: String, _ arguments: String...) -> Child {
        let child = Child()
        child.executableURL = URL(filePath: program)
        child.arguments = arguments
        child.standardInput = .nullDevice
        child.standardOutput = .nullDevice
        child.standardError = .nullDevice
        return child
    }

    /// Runs a process and returns all that it writes.
    private func output(of child: Child) throws -> String {
        let pipe = Pipe()
        child.standardOutput = pipe.fileHandleForWriting
        try child.run()
        try pipe.fileHandleForWriting.close()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        child.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    @Test("ends are noticed while others that were started at the same time live on")
    func ends() throws {
        let children = Mutex<[(short: Child, long: Child)]>([])
        DispatchQueue.concurrentPerform(iterations: 200) { number in
            let short = child("/bin/sh", "-c", "exit \(number)")
            let long = child("/bin/sleep", "1000")
            DispatchQueue.concurrentPerform(iterations: 2) { try? ($0 == 0 ? short : long).run() }
            children.withLock { $0.append((short, long)) }
        }
        let all = children.withLock { $0 }
        #expect(wait { all.allSatisfy { !$0.short.isRunning } })
        #expect(all.map(\.short.terminationStatus).sorted() == Array(0..<200))
        #expect(all.allSatisfy { $0.short.end?.isKilled == false && $0.long.isRunning })
        #expect(all.allSatisfy { $0.long.terminationStatus == -1 && $0.long.end == nil })
        // Whoever waits is told, and all of them.
        let told = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            if number == 0 { for (_, long) in all { long.kill() } }
            for (_, long) in all {
                long.waitUntilExit()
                if long.terminationStatus == SIGKILL, !long.isRunning { told.add(1, ordering: .relaxed) }
            }
        }
        #expect(told.load(ordering: .relaxed) == 8 * 200)
    }

    @Test("a signal that ends one is told apart from a code", arguments: [SIGTERM, SIGINT, SIGKILL, SIGUSR1, SIGSEGV])
    func signals(number: Int32) throws {
        let child = child("/bin/sleep", "1000")
        try child.run()
        #expect(child.isRunning && child.processIdentifier > 0)
        switch number {
        case SIGTERM: child.terminate()
        case SIGINT: child.interrupt()
        case SIGKILL: child.kill()
        default: kill(child.processIdentifier, number)
        }
        child.waitUntilExit()
        #expect(!child.isRunning && child.end?.isKilled == true && child.terminationStatus == number)
        // Nobody is meant any more.
        child.kill()
        #expect(child.terminationStatus == number)
        #expect(throws: (any Error).self) { try child.run() }
    }

    @Test("one that lives too long is ended with what it has started, and whoever reads of them is let go")
    func limit() throws {
        let child = child("/bin/sh", "-c", "trap '' ABRT; echo begun; sleep 1000 & wait; wait")
        child.limit = .milliseconds(200)
        #expect(try output(of: child) == "begun\n")
        #expect(child.end?.isKilled == true && child.terminationStatus == SIGKILL)
    }

    @Test("a child has the default of every signal, blocks none, and leads a group")
    func dispositions() throws {
        var (mask, before) = (sigset_t(), sigset_t())
        sigemptyset(&mask)
        sigaddset(&mask, SIGTERM)
        sigaddset(&mask, SIGUSR2)
        pthread_sigmask(SIG_BLOCK, &mask, &before)
        let old = signal(SIGURG, SIG_IGN)
        let child = child("/bin/cat", "/proc/self/status", "/proc/self/stat")
        let text = try output(of: child)
        signal(SIGURG, old)
        pthread_sigmask(SIG_SETMASK, &before, nil)
        func signals(_ name: String) -> UInt64? {
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line.flatMap { UInt64($0.drop { $0 != "\t" }.dropFirst(), radix: 16) }
        }
        #expect(signals("SigBlk") == 0, "\(text)")
        // 32 and 33 are the C library's own, which it leaves ignored in everything that it starts.
        #expect(signals("SigIgn").map { $0 & 0x7fff_ffff } == 0, "\(text)")
        let pid = child.processIdentifier
        #expect(text.contains("\n\(pid) (cat) R \(getpid()) \(pid) "), "\(text)")
    }

    @Test("a child has the environment and the directory that it was given, or those of the tests")
    func place() throws {
        let script = "pwd; env"
        let own = child("/bin/sh", "-c", script)
        own.environment = ["NAME": "a value = 'of' words"]
        own.currentDirectoryURL = URL(filePath: "/usr/lib")
        let lines = try output(of: own).split(separator: "\n")
        #expect(lines.first == "/usr/lib" && lines.contains("NAME=a value = 'of' words"))
        #expect(lines.dropFirst().allSatisfy { ["NAME", "PWD", "_"].contains($0.prefix { $0 != "=" }) }, "\(lines)")
        let same = try output(of: child("/bin/sh", "-c", script)).split(separator: "\n")
        #expect(same.first.map(String.init) == FileManager.default.currentDirectoryPath)
        let path = try #require(ProcessInfo.processInfo.environment["PATH"])
        #expect(same.contains("PATH=\(path)"))
    }

    @Test("a child that cannot be started says why, and is none")
    func refused() {
        let nobody = child("/nowhere/program")
        let error = #expect(throws: (any Error).self) { try nobody.run() }
        #expect(error.map { "\($0)" } == "/nowhere/program: cannot be started: No such file or directory")
        let lost = child("/bin/true")
        lost.currentDirectoryURL = URL(filePath: "/nowhere")
        #expect(throws: (any Error).self) { try lost.run() }
        for child in [nobody, lost] {
            child.waitUntilExit()
            #expect(!child.isRunning && child.processIdentifier == 0 && child.terminationStatus == -1)
        }
    }

    @Test("a child reads and writes where it was told, and has no other descriptor")
    func descriptors() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)").path
        defer {
            for ending in ["in", "out", "err"] { try? FileManager.default.removeItem(atPath: "\(place).\(ending)") }
        }
        try "words".write(toFile: place + ".in", atomically: true, encoding: .utf8)
        for ending in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(place).\(ending)", contents: nil) }
        // None of these closes by itself when a program starts.
        let open = (0..<50).map { _ in Foundation.open("/dev/null", O_RDONLY) }
        defer { for descriptor in open { close(descriptor) } }
        #expect(open.allSatisfy { $0 >= 0 && fcntl($0, F_GETFD) & FD_CLOEXEC == 0 })
        let child = child("/bin/sh", "-c", "cat; ls /proc/self/fd; echo problem >&2")
        child.standardInput = FileHandle(forReadingAtPath: place + ".in")
        child.standardOutput = FileHandle(forWritingAtPath: place + ".out")
        child.standardError = FileHandle(forWritingAtPath: place + ".err")
        try child.run()
        child.waitUntilExit()
        // The one that `ls` reads is its own.
        #expect(try String(contentsOfFile: place + ".out", encoding: .utf8) == "words0\n1\n2\n3\n")
        #expect(try String(contentsOfFile: place + ".err", encoding: .utf8) == "problem\n")
        #expect(child.terminationStatus == 0)
    }

    @Test("nothing is left of a child that nobody waits for, whether it has ended or not")
    func forgotten() throws {
        /// Whether the kernel knows the number, if only as one whose status was not taken.
        func exists(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 }
        var running: Child? = child("/bin/sleep", "1000")
        try running?.run()
        let pid = try #require(running?.processIdentifier)
        #expect(exists(pid))
        running = nil
        #expect(!exists(pid))
        let ended = child("/bin/true")
        try ended.run()
        #expect(wait { !exists(ended.processIdentifier) })
        #expect(wait { !ended.isRunning } && ended.terminationStatus == 0)
    }
}
