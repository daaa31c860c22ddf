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
        guard let text = timeLimit.map({ "\($0)" }) ?? Variable.text("MYRIAD_TIME_LIMIT") else { return nil }
        if let seconds = Double(text), Bounds.seconds.contains(seconds) { return seconds }
        let name = timeLimit == nil ? "MYRIAD_TIME_LIMIT" : "--time-limit"
        throw ValidationError("\(name) is '\(text)', expected a number of seconds above 0")
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
        let flags = ["--continue", "--reset-optimizer", "--restart-steps"]
        let words = words(of: arguments, without: ["--resume", "--run", "--state"], flags: flags)
        return ShellWord.line(words + ["--run", run, "--continue"])
    }

    /// The words of a command line, but for some options with their values and some flags.
    static func words(
        of arguments: [String] = CommandLine.arguments, without options: [String], flags: [String] = []
    ) -> [String] {
        var words = ["myriad"]
        var rest = arguments.dropFirst().makeIterator()
        while let word = rest.next() {
            if options.contains(word) {
                _ = rest.next()
            } else if !flags.contains(word), !options.contains(where: { word.hasPrefix($0 + "=") }) {
                words.append(word)
            }
        }
        return words
    }
}
