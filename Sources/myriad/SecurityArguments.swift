import ArgumentParser
import Cluster
import Foundation

/// How a process protects what it says to other machines.
struct SecurityArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of keys (MYRIAD_KEYS); ~/.myriad/keys unless given, where an address is not of this machine.",
            valueName: "directory"))
    var keys: String?

    @Flag(help: "Let plaintext leave this machine, in a network that you trust (MYRIAD_INSECURE=1).")
    var insecure = false

    /// What these say, and the environment where they say nothing.
    var access: Access { Access(keys: keys, isInsecure: insecure) }
}

/// Settings that come from the environment when no flag says otherwise.
enum Variable {
    /// A variable that is set and not empty.
    static func text(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Seconds that one side waits for the other to begin: what was said, or MYRIAD_WAIT, or 12.
    static func wait(_ given: Double?) throws -> Double {
        let seconds = try given ?? number("MYRIAD_WAIT").map(Double.init) ?? 12
        try Bounds.check("--wait (or MYRIAD_WAIT)", seconds, Bounds.seconds)
        return seconds
    }

    /// A whole number, or an error that names the variable.
    static func number(_ name: String) throws -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw ValidationError("\(name)='\(text)' is no whole number; correct or unset it")
        }
        return number
    }
}
