import ArgumentParser
import Foundation
import Telemetry
import Transport

extension KeyDirectory.Role: ExpressibleByArgument {}

/// The keys of a cluster.
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and show the keys of a cluster, and say who may join it.",
        discussion: """
            Whoever listens beyond this machine needs keys: all traffic is encrypted (CURVE), and only keys on the \
            scheduler's list are let in.

            A directory for everybody, copied to every machine:
              myriad keys create
              scp -pr ~/.myriad/keys host-b:.myriad/
            A key of its own for each machine (on host-b, then on the scheduler's machine):
              myriad keys create --scheduler-key <public key of the scheduler>
              myriad keys allow <public key of host-b> --name host-b
            """,
        subcommands: [Create.self, Show.self, Allow.self])

    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("The directory of keys (MYRIAD_KEYS).", valueName: "directory"))
        var keys: String?

        var directory: KeyDirectory { KeyDirectory(keys ?? Variable.text("MYRIAD_KEYS") ?? "~/.myriad/keys") }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make keys: the scheduler's and a node's, and the list that allows the node.",
            discussion: """
                Nothing is overwritten.

                Examples:
                  myriad keys create
                  myriad keys create --keys runs/din-1/keys --name lab
                  myriad keys create --scheduler-key 5c3f…   (for one more machine)
                """)

        @OptionGroup var place: Place

        @Option(help: "Whose key it is, in the list.")
        var name = ProcessInfo.processInfo.hostName

        @Option(help: "The scheduler's public key: makes a node's keys only, for a machine that joins it.")
        var schedulerKey: String?

        func run() throws {
            try Exit.attempt(else: .failed) {
                let directory = place.directory
                if let schedulerKey {
                    guard let scheduler = PublicKey(schedulerKey) else {
                        throw ValidationError("--scheduler-key expects 64 hexadecimal digits")
                    }
                    let node = try KeyPair()
                    try directory.create(node, scheduler: scheduler)
                    print("\(directory.path): keys of a node")
                    print("on the scheduler's machine: myriad keys allow \(node.publicKey) --name \(name)")
                    return
                }
                try directory.create(name: name.split(separator: " ").joined(separator: "-"))
                print("\(directory.path): keys of a scheduler and of a node, which is allowed to join")
                print("for every other machine: scp -pr \(directory.path) <host>:<the same path>")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the public keys of a directory and who is allowed; never a secret.",
            discussion: "Example: myriad keys show --keys runs/din-1/keys")

        @OptionGroup var place: Place

        func run() throws {
            try Exit.attempt(else: .failed) {
                let directory = place.directory
                guard directory.exists else {
                    throw KeyDirectory.Problem(
                        missing: directory.path, remedy: "`myriad keys create` makes it, --keys names another")
                }
                let files = FileManager.default
                func has(_ name: String) -> Bool { files.fileExists(atPath: "\(directory.path)/\(name)") }
                print("directory       \(directory.path)")
                // Reading a secret checks its mode: what could not be used is said here already.
                if has("scheduler.key") { print("own scheduler   \(try directory.scheduler().publicKey)") }
                if has("scheduler.pub") { print("scheduler.pub   \(try directory.schedulerKey())") }
                if has("node.key") { print("own node        \(try directory.node().publicKey)") }
                guard has("allowed") else { return }
                for grant in try directory.allowed() {
                    let role = grant.role.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
                    print("allowed \(role)\(grant.key) \(grant.name.harmless)")
                }
            }
        }
    }

    struct Allow: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow a key to join, or to look; a running scheduler takes it at once.",
            discussion: """
                Examples:
                  myriad keys allow 5c3f… --name host-b
                  myriad keys allow 91aa… --role monitor --name dashboard
                """)

        @OptionGroup var place: Place

        @Argument(help: "The public key: 64 hexadecimal digits.")
        var key: String

        @Option(help: "node: may join as a server or worker; monitor: may only look.")
        var role = KeyDirectory.Role.node

        @Option(help: "Whose key it is, in one word.")
        var name = ""

        func run() throws {
            guard let key = PublicKey(key) else {
                throw ValidationError("'\(key)' is no public key: it has 64 hexadecimal digits (`myriad keys show`)")
            }
            try Exit.attempt(else: .failed) {
                let name = name.split(separator: " ").joined(separator: "-")
                let isNew = try place.directory.allow(KeyDirectory.Grant(key: key, role: role, name: name))
                print(isNew ? "allowed as \(role.rawValue): \(key)" : "was allowed already: \(key)")
            }
        }
    }
}
