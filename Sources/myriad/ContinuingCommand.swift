import Cluster

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
