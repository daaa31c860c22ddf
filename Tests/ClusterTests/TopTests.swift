import Display
import Foundation
import Processes
import Telemetry
import TestMachine
import Testing

/// A real terminal of its own: a server of tmux that nobody else uses.
private final class Tmux {
    /// Why there is none, after trying to install it; nil when there is.
    static let trouble: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let result = try? command(["bash", root.appending(path: "cluster/install-packages.sh").path, "tmux"])
        return result?.code == 0 ? nil : "tmux cannot be installed: \(result?.text ?? "no bash")"
    }()

    private let socket = "myriad-test-\(UUID().uuidString.prefix(8))"

    init(in directory: String, width: Int, height: Int) throws {
        let result = try Tmux.command([
            "tmux", "-L", socket, "-u", "-f", "/dev/null", "new-session", "-d", "-x", "\(width)",
            "-y", "\(height)", "-c", directory, "env -u NO_COLOR PS1='$ ' bash --norc --noprofile",
        ])
        try #require(result.code == 0, "tmux cannot be started: \(result.text)")
    }

    deinit {
        // By its process: a server whose shell is slow to leave outlives the command `kill-server`.
        let answer = try? Tmux.command(["tmux", "-L", socket, "display-message", "-p", "#{pid}"])
        if let server = answer.flatMap({ Int32($0.text.trimmingCharacters(in: .whitespacesAndNewlines)) }), server > 1 {
            kill(server, SIGKILL)
        }
    }

    static func command(_ arguments: [String]) throws -> (code: Int32, text: String) {
        let process = Child()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        let file = FileManager.default.temporaryDirectory.appending(path: "myriad-tmux-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
    }

    @discardableResult
    func tell(_ arguments: String...) throws -> String {
        let result = try Tmux.command(["tmux", "-L", socket] + arguments)
        try #require(result.code == 0, "tmux \(arguments): \(result.text)")
        return result.text
    }

    func type(_ keys: String...) throws { for key in keys { try tell("send-keys", key) } }

    /// What is on the screen.
    func screen(_ options: String...) throws -> String {
        try Tmux.command(["tmux", "-L", socket, "capture-pane", "-p"] + options).text
    }

    /// Waits for something on the screen, half a minute at most.
    func waits(for isThere: (String) -> Bool) throws -> String {
        let deadline = ContinuousClock.now + .seconds(30)
        var text = ""
        while .now < deadline {
            text = try screen()
            if isThere(text) { return text }
            Thread.sleep(forTimeInterval: 0.05)
        }
        Issue.record("never came; the screen shows:\n\(text)")
        return text
    }

    /// Whether a program holds the alternate screen, where the cursor hides.
    var state: String {
        get throws {
            try tell("display-message", "-p", "#{alternate_on} #{cursor_flag}").trimmingCharacters(in: .newlines)
        }
    }
}

@Suite(
    .serialized,
    .enabled(if: Skips.runs("myriad top in tmux", unless: Tmux.trouble), Comment(rawValue: Tmux.trouble ?? "")))
struct TopTests {
    /// Runs a line of shell and returns what it printed.
    private func shell(_ line: String, _ tmux: Tmux, _ program: Program) throws -> String {
        let file = program.directory + "/answer-\(UUID().uuidString)"
        try tmux.type("\(line) > \(file); echo done >> \(file)", "Enter")
        var text = ""
        let deadline = ContinuousClock.now + .seconds(30)
        while !text.hasSuffix("done\n"), .now < deadline {
            text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            Thread.sleep(forTimeInterval: 0.05)
        }
        return text
    }

    @Test("top shows the status's numbers on a real terminal, takes keys and sizes, and gives the terminal back")
    func top() throws {
        let program = try Program()
        try program.prepareWorld()
        let made = try program.run("launch", "job.yaml", "--servers", "2", "--workers", "2", "--run", "runs/a")
        try #require(made.code == 0, "\(made.errors)")
        let status = try TelemetryJSON.decode(
            ClusterStatus.self, from: Data(try program.run("top", "-o", "json").output.utf8))

        let tmux = try Tmux(in: program.directory, width: 150, height: 40)
        let before = try shell("stty -g", tmux, program)
        #expect(before.contains(":"))
        let calm = try tmux.state
        try tmux.type("'\(Program.path)' top; echo code $?", "Enter")
        var text = try tmux.waits { $0.contains("SHARD") && $0.contains("q quit") }
        #expect(try tmux.state == "1 0")
        #expect(text.contains("a  finished  step 50 of 50"))
        #expect(text.contains("limited by \(status.limitedBy)"))
        for shard in status.shards {
            let row = text.split(separator: "\n").first { $0.hasPrefix("    \(shard.report.shard)  ") } ?? ""
            for cell in [
                Quantity.count(shard.report.rows), Quantity.rate(shard.pullsPerSecond), Quantity.percent(shard.busy),
            ] {
                #expect(row.contains("  \(cell)  "), "\(cell) in \(row)")
            }
        }
        #expect(text.contains("skew (largest/mean): rows \(Quantity.ratio(status.skew.rows))"))
        // Colors are there, and the bar on top is reversed.
        #expect(try tmux.screen("-e").contains("\u{1b}[7m"))

        try tmux.type("s")
        _ = try tmux.waits { $0.contains("s sort: rows") }
        try tmux.type("h")
        text = try tmux.waits { $0.contains("distinct ids") }
        #expect(text.contains(try #require(status.tables.first?.hot.first).id))
        try tmux.type("w")
        _ = try tmux.waits { $0.contains("BLOCKED BY") && !$0.contains("SHARD") }
        try tmux.type("p")
        _ = try tmux.waits { $0.contains("ROLE") && $0.contains("scheduler") }
        try tmux.type("Down", "p")
        _ = try tmux.waits { $0.contains("SHARD") }

        // Every size is filled anew at once, and nothing wraps.
        for (width, height) in [(80, 24), (40, 12), (100, 30)] {
            try tmux.tell("resize-window", "-x", "\(width)", "-y", "\(height)")
            text = try tmux.waits { text in
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                // What was drawn for the size before has lost its table or its time.
                return lines.count == height && text.contains("SHARD") && lines.last?.hasPrefix("q quit") == true
                    && Glyphs.width(of: String(lines.first ?? "")) >= width - 2
            }
            #expect(text.contains("finished") && text.contains("SHARD"), "\(text)")
        }

        try tmux.type("q")
        _ = try tmux.waits { $0.contains("code 0") }
        #expect(try tmux.state == calm)
        #expect(try shell("stty -g", tmux, program) == before)
        try signals(tmux, program, calm: calm, before: before)
    }

    /// Ctrl-C and Esc quit, Ctrl-Z suspends, SIGTERM ends; each leaves the terminal as it was.
    private func signals(_ tmux: Tmux, _ program: Program, calm: String, before: String) throws {
        for (number, key) in ["C-c", "Escape"].enumerated() {
            try tmux.type("clear; '\(Program.path)' top; echo code$? \(number)", "Enter")
            _ = try tmux.waits { $0.contains("q quit") }
            try tmux.type(key)
            _ = try tmux.waits { $0.contains("code0 \(number)") }
            #expect(try tmux.state == calm)
        }
        try tmux.type("clear; '\(Program.path)' top", "Enter")
        _ = try tmux.waits { $0.contains("q quit") }
        try tmux.type("C-z")
        _ = try tmux.waits { $0.contains("Stopped") }
        #expect(try tmux.state == calm)
        #expect(try shell("stty -g", tmux, program) == before)
        try tmux.type("fg", "Enter")
        _ = try tmux.waits { $0.contains("q quit") }
        try tmux.type("q")
        // Or the next one's screen would be taken for this one's.
        _ = try tmux.waits { !$0.contains("q quit") }
        try tmux.type("clear; sh -c 'echo $$ > pid; exec \"\(Program.path)\" top'; echo code $?", "Enter")
        _ = try tmux.waits { $0.contains("q quit") }
        let text = try String(contentsOfFile: program.directory + "/pid", encoding: .utf8)
        let process = try #require(Int32(text.trimmingCharacters(in: .newlines)))
        kill(process, SIGTERM)
        _ = try tmux.waits { $0.contains("code 143") }
        #expect(try tmux.state == calm)
        #expect(try shell("stty -g", tmux, program) == before)
    }
}
