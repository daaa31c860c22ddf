import ArgumentParser
import Foundation
import Processes
import Testing

@testable import myriad

/// What README and the help tell people to type.
@Suite struct WordsTests {
    /// A command as it stands somewhere.
    struct Example: CustomStringConvertible {
        let place: String
        let line: String
        var description: String { "\(place): \(line)" }
    }

    /// All commands, by what they are called.
    private static func commands(
        _ command: any ParsableCommand.Type = Myriad.self, _ path: [String] = ["myriad"]
    ) -> [(path: [String], command: any ParsableCommand.Type)] {
        [(path, command)]
            + command.configuration.subcommands.flatMap { part in
                commands(part, path + [part.configuration.commandName ?? "\(part)".lowercased()])
            }
    }

    /// The lines of a text that begin with `myriad`, a backslash at an end carried on.
    private static func examples(_ text: String, in place: String) -> [Example] {
        let lines = text.replacing("\\\n", with: "").split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        return lines.compactMap { line in
            let line = line.hasPrefix("Example: ") ? String(line.dropFirst("Example: ".count)) : line
            return line.hasPrefix("myriad ") && !line.contains("…") && !line.contains("<")
                ? Example(place: place, line: line) : nil
        }
    }

    /// README and the documents, by path.
    private static let documents: [(place: String, text: String)] =
        ["README.md", "CONTRIBUTING.md"].map { (place: $0, text: text(of: $0)) }
        + ((try? FileManager.default.contentsOfDirectory(atPath: Script.root + "/docs")) ?? []).sorted()
        .filter { $0.hasSuffix(".md") }.map { (place: "docs/" + $0, text: text(of: "docs/" + $0)) }

    private static func text(of path: String) -> String {
        (try? String(contentsOfFile: Script.root + "/" + path, encoding: .utf8)) ?? ""
    }

    private static let all: [Example] = {
        let blocks = documents.flatMap { document in
            document.text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }
                .map { (place: document.place, text: $0.element) }
        }
        return blocks.flatMap { examples($0.text, in: $0.place) }
            + commands().flatMap { examples($0.command.configuration.discussion, in: $0.path.joined(separator: " ")) }
    }()

    /// The words of a line as a shell reads them, without the program's own name; nothing is run.
    private func words(_ line: String) throws -> [String] {
        let process = Child()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        let script = "set -f; myriad() { printf '%s\\0' \"$@\" >&3; exit 0; }; exec 3>&1 >/dev/null 2>&1; \(line)"
        process.arguments = ["-c", script]
        // Some write files.
        let place = FileManager.default.temporaryDirectory.appending(path: "words-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        process.currentDirectoryURL = place
        process.standardOutput = output.fileHandleForWriting
        process.standardInput = FileHandle.nullDevice
        process.environment = ["PATH": "/nowhere"]
        try process.run()
        try output.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("every command of README, of the documents and of the help is one that the program takes")
    func commandsParse() throws {
        #expect(Self.all.count > 60, "\(Self.all.count)")
        for example in Self.all {
            let words = try words(example.line)
            #expect(!words.isEmpty, "\(example)")
            do { _ = try Myriad.parseAsRoot(words) } catch {
                Issue.record("\(example): \(Myriad.message(for: error))")
            }
        }
    }

    @Test("every file that README, the documents and the help name is there")
    func filesExist() throws {
        let texts =
            Self.documents
            + Self.commands().map {
                (place: $0.path.joined(separator: " "), text: $0.command.helpMessage(columns: 1000))
            }
        let pattern = try Regex(#"\b(configs|cluster|Sources|Tests|docs)/[A-Za-z0-9_/.+-]*[A-Za-z0-9]"#)
        var count = 0
        for (place, text) in texts {
            for match in text.matches(of: pattern) {
                let path = String(text[match.range])
                // `configs/{base,din}.yaml` ends before its brace, and an address has no such file.
                let isThere = FileManager.default.fileExists(atPath: "\(Script.root)/\(path)")
                count += 1
                #expect(isThere, "\(place) names \(path), which does not exist")
            }
        }
        #expect(count > 40)
        for (place, text) in Self.documents {
            let folder = (place as NSString).deletingLastPathComponent
            for link in text.matches(of: #/\]\(([^)#]+)\)/#) where !link.1.contains("://") {
                let isThere = FileManager.default.fileExists(atPath: "\(Script.root)/\(folder)/\(link.1)")
                #expect(isThere, "\(place) links \(link.1)")
            }
        }
    }

    @Test("in 80 columns the help breaks no command")
    func eightyColumns() {
        for (path, command) in Self.commands() {
            let text = command.helpMessage(columns: 80)
            for line in command.configuration.discussion.split(separator: "\n") where line.hasPrefix("  ") {
                let isWhole = text.contains("\n\(line)\n")
                #expect(isWhole, "\(path.joined(separator: " ")) --help breaks: \(line)")
            }
        }
    }

    @Test("in 80 columns the help breaks no line of a paragraph twice")
    func paragraphs() {
        for (path, command) in Self.commands() {
            let lines = command.configuration.discussion.split(separator: "\n", omittingEmptySubsequences: false)
            for (line, next) in zip(lines, lines.dropFirst()) where !next.isEmpty && !next.hasPrefix(" ") {
                #expect(line.count <= 80, "\(path.joined(separator: " ")) --help has: \(line)")
            }
        }
    }

    @Test(
        "options of a benchmark that it would not heed are refused with what they fit",
        arguments: [
            ("--model x --json", "'base', 'din', 'dien', 'dsin' or 'bst'"),
            ("--model x", "'base', 'din', 'dien', 'dsin' or 'bst'"),
            ("--model din", "--model fits --json only"), ("--threads 2", "--threads fits --json only"),
            ("--page --json", "--page and --json are two measurements"), ("--page --data d", "--data fits no --page"),
        ])
    func bench(words: String, expected: String) {
        let words = ["bench"] + words.split(separator: " ").map(String.init)
        let error = #expect(throws: (any Error).self) { try Myriad.parseAsRoot(words) }
        guard let error else { return }
        let message = Myriad.fullMessage(for: error)
        #expect(Myriad.exitCode(for: error).rawValue == 64 && message.contains(expected), "\(message)")
    }

    @Test("numbers that no machine has are refused with the code of a wrong command line, or taken")
    func numbers() {
        let options: [(command: [String], names: [String])] = [
            (["worker"], ["rank", "wait", "silence", "stopped-code"]), (["server"], ["rank", "wait", "silence"]),
            (["launch", "c.yaml"], ["servers", "workers", "time-limit"]),
            (["launch", "c.yaml", "--hosts", "h"], ["wait"]), (["doctor"], ["port"]), (["dashboard"], ["port"]),
            (["bench"], ["dim", "batch", "threads", "seconds", "repeats"]), (["stat"], ["interval"]),
            (
                ["prepare", "synthetic", "--output", "o"],
                ["negatives", "history", "users", "items", "categories", "interests", "impressions", "bad-lines"]
            ),
        ]
        for (command, names) in options {
            for name in names {
                for value in ["-1", "1e300", "nan", "9223372036854775807", "x", ""] {
                    let words = command + ["--\(name)=\(value)"]
                    let error = #expect(throws: (any Error).self, "\(words) is taken") {
                        try Myriad.parseAsRoot(words)
                    }
                    guard let error else { continue }
                    #expect(Myriad.exitCode(for: error).rawValue == 64, "\(words)")
                    let said = Myriad.message(for: error).contains("--\(name)")
                    #expect(said, "\(words): \(Myriad.message(for: error))")
                }
            }
        }
    }
}
