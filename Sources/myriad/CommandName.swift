import ArgumentParser
import Job

/// Names of commands as they were typed.
enum CommandName {
    /// What is wrong with the names that begin a command line: a word that no command is called by.
    static func problem(in words: ArraySlice<String>, of command: any ParsableCommand.Type) -> String? {
        let commands = command.configuration.subcommands
        // Without subcommands it is an argument, which the command itself looks at.
        guard !commands.isEmpty, let word = words.first, !word.hasPrefix("-"), word != "help" else { return nil }
        if let next = commands.first(where: { name(of: $0) == word }) {
            return problem(in: words.dropFirst(), of: next)
        }
        let (names, parent) = (commands.map(name), name(of: command))
        let help = "`\(parent == "myriad" ? "" : "myriad ")\(parent) --help` lists what there is"
        return "'\(word)' is no command of \(parent)"
            + (nearest(to: word, among: names).map { ": did you mean \($0)?" } ?? ":") + " \(help)"
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}
