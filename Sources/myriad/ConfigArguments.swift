import ArgumentParser
import Job

/// The configuration that a command is about.
struct ConfigArguments: ParsableArguments {
    @Argument(help: "The job's configuration (YAML); configs/reference.yaml explains every key.")
    var config: String

    @Argument(help: "Overrides, such as train.batch=1024 or model.top.hidden=[200,80].")
    var overrides: [String] = []

    /// The configuration with its overrides, and with more of them.
    func read(_ more: [String] = []) throws -> JobConfig {
        try ConfigReader.read(path: config, overrides: overrides + more)
    }
}
