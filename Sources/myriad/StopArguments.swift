import ArgumentParser
import Cluster
import Foundation

/// How long a job may run, and whether it goes on where an earlier attempt stopped.
struct StopArguments: ParsableArguments {
    @Flag(
        name: .customLong("continue"),
        help: """
            Start the run of --run, or go on with it from its newest checkpoint; a finished one ends at once. \
            (MYRIAD_CONTINUE=1)
            """)
    var goesOn = false

    @Option(
        name: .customLong("time-limit"),
        help: """
            Seconds after which the job writes a checkpoint and ends with code 143, since the start of this process. \
            (MYRIAD_TIME_LIMIT)
            """)
    var timeLimit: Double?

    /// The flag, or what the environment says.
    func continues() throws -> Bool {
        if goesOn { return true }
        switch Variable.text("MYRIAD_CONTINUE") ?? "" {
        case "", "0", "false", "no": return false
        case "1", "true", "yes": return true
        case let other: throw ValidationError("MYRIAD_CONTINUE is '\(other)', expected 1 or 0")
        }
    }

    /// The option, or what the environment says; nil for no limit.
    func limit() throws -> Double? {
        let text = Variable.text("MYRIAD_TIME_LIMIT")
        guard timeLimit != nil || text != nil else { return nil }
        guard let seconds = timeLimit ?? text.flatMap(Double.init), Bounds.seconds.contains(seconds) else {
            let name = timeLimit == nil ? "MYRIAD_TIME_LIMIT" : "--time-limit"
            let value = timeLimit.map { "\($0)" } ?? "'\(text ?? "")'"
            throw ValidationError("\(name) is \(value), expected a number of seconds above 0")
        }
        return seconds
    }

    func validate() throws {
        _ = try continues()
        _ = try limit()
    }
}

/// The command that was given, made to go on with its run.
enum ContinuingCommand {
    /// The command line, for a shell.
    static func line(run: String, arguments: [String] = CommandLine.arguments) -> String {
        var words: [String] = []
        var rest = arguments.dropFirst().makeIterator()
        while let word = rest.next() {
            switch word {
            case "--resume", "--run", "--state": _ = rest.next()
            case "--continue", "--reset-optimizer", "--restart-steps": break
            case _ where ["--resume=", "--run=", "--state="].contains(where: word.hasPrefix): break
            default: words.append(word)
            }
        }
        return ShellWord.line(["myriad"] + words + ["--run", run, "--continue"])
    }
}
