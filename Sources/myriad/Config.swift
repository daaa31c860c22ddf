import ArgumentParser
import Display
import Foundation
import Job
import Models
import Telemetry
import Tensors
import Wire
import Yams

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show or check a configuration.",
        subcommands: [Show.self, Get.self, Check.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the whole configuration, defaults and overrides included.",
            discussion: "Example: myriad config show configs/synthetic.yaml train.batch=1024")

        @OptionGroup var settings: ConfigArguments

        func run() throws { print(try Exit.attempt(.input) { try settings.read().yaml() }, terminator: "") }
    }

    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print one value of the whole configuration, defaults and overrides included, for scripts.",
            discussion: "Example: myriad config get cluster.servers configs/din.yaml cluster.servers=2")

        @Argument(help: "The key, such as train.batch.")
        var key: String

        @OptionGroup var settings: ConfigArguments

        func run() throws {
            let text = try Exit.attempt(.input) { try settings.read().yaml() }
            let value = key.split(separator: ".").reduce(try compose(yaml: text)) { $0?[String($1)] }
            guard let value else { throw ValidationError("no key is called \(key): `myriad config show` prints all") }
            print(try value.string ?? serialize(node: value).trimmingCharacters(in: .newlines))
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Check a configuration, and all that training opens: its dataset, whole, and the port of its page.",
            discussion: """
                What training would refuse ends with code 65 (69: the page's port is taken); what runs and is seldom \
                meant is a warning.

                Example: myriad config check configs/synthetic.yaml
                """)

        @OptionGroup var settings: ConfigArguments

        func run() throws {
            let work = SlowWork()
            try Exit.attempt(.input) {
                let job = try Job(try settings.read())
                let data = job.config.data.directory
                let warnings = try job.examine { work.begin("checking split '\($0)' of \(data) …") }
                try JobPage.start(job.config, StatusBoard())?.stop()
                for warning in warnings { StandardError.line("warning: \(warning)") }
                print(
                    "\(settings.config): good. \(job.plan.lastStep) steps of \(job.plan.batch) samples, "
                        + "\(job.model.layout.trainableCount) dense parameters")
            }
        }
    }
}

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
