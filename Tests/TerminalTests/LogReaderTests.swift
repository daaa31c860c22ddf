import Display
import Foundation
import Testing

@Suite struct LogReaderTests {
    private final class Directory {
        let path = FileManager.default.temporaryDirectory.appending(path: "myriad-logs-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func append(_ text: String, to name: String) throws {
            let file = "\(path)/\(name)"
            if !FileManager.default.fileExists(atPath: file) { try Data().write(to: URL(filePath: file)) }
            let handle = try FileHandle(forWritingTo: URL(filePath: file))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
    }

    private func texts(_ entries: [LogEntry]) -> [String] { entries.map { "\($0.name)|\($0.text)" } }

    @Test("logs come in the order of roles and ranks, and grow; a line is shown when it has ended")
    func growth() throws {
        let directory = try Directory()
        try directory.append("one\r\ntwo\nthr", to: "worker-10.log")
        try directory.append("w2\n", to: "worker-2.log")
        try directory.append("s0\n", to: "server-0.log")
        try directory.append("plan\n", to: "scheduler.log")
        try directory.append("no log\n", to: "notes.txt")
        let reader = LogReader(directory: directory.path)
        #expect(
            texts(reader.read()) == [
                "scheduler|plan", "server 0|s0", "worker 2|w2", "worker 10|one", "worker 10|two",
            ])
        #expect(reader.nameWidth == 9)
        #expect(reader.read().isEmpty)
        try directory.append("ee\n\n", to: "worker-10.log")
        try directory.append("late", to: "worker-11.log")
        #expect(texts(reader.read()) == ["worker 10|three", "worker 10|"])
        #expect(texts(reader.read(last: true)) == ["worker 11|late"])
        #expect(reader.read(last: true).isEmpty)
    }

    @Test("only what was asked for is read; a log that was written anew is read anew")
    func choice() throws {
        let directory = try Directory()
        try directory.append("a longer line\n", to: "worker-1.log")
        try directory.append("x\n", to: "worker-2.log")
        try directory.append("x\n", to: "server-1.log")
        let reader = LogReader(directory: directory.path, role: "worker", rank: 1)
        #expect(texts(reader.read()) == ["worker 1|a longer line"])
        try Data("new\n".utf8).write(to: URL(filePath: "\(directory.path)/worker-1.log"))
        #expect(texts(reader.read()) == ["worker 1|new"])
        #expect(LogReader(directory: directory.path, rank: 1).read().count == 2)
        #expect(LogReader(directory: directory.path + "/none").read().isEmpty)
    }

    @Test("the last lines are found from the end of a log of any size, and what follows is read as it comes")
    func tail() throws {
        let directory = try Directory()
        // A hole of 64 GB before them: nobody could read that.
        let path = "\(directory.path)/worker-1.log"
        try Data().write(to: URL(filePath: path))
        #expect(truncate(path, 64 << 30) == 0)
        try directory.append("\none\n\(String(repeating: "x", count: 300_000))\nthree\n", to: "worker-1.log")
        try directory.append("a\nb", to: "worker-2.log")
        func last(_ count: Int) -> [String] {
            LogReader(directory: directory.path, tail: count).read(last: true).map { String($0.text.prefix(5)) }
        }
        #expect(last(1) == ["three", "b"])
        #expect(last(2) == ["xxxxx", "three", "a", "b"])
        #expect(last(3) == ["one", "xxxxx", "three", "a", "b"])
        #expect(last(0) == [])
        let all = LogReader(directory: directory.path, rank: 2, tail: .max).read(last: true)
        #expect(all.map(\.text) == ["a", "b"])
        let reader = LogReader(directory: directory.path, rank: 1, tail: 1)
        #expect(reader.read().map(\.text) == ["three"])
        try directory.append("four\nfive\n", to: "worker-1.log")
        #expect(reader.read { $0 != "four" }.map(\.text) == ["five"])
    }

    @Test("bytes that are no text, and escape sequences, are shown harmlessly")
    func hostile() throws {
        let directory = try Directory()
        try Data([0xff, 0x1b, 0x5b, 0x32, 0x4a, 10]).write(to: URL(filePath: "\(directory.path)/worker-1.log"))
        let reader = LogReader(directory: directory.path)
        let entry = try #require(reader.read().first)
        #expect(entry.line(nameWidth: 10).text == "worker 1   | \u{fffd}␛[2J")
    }
}
