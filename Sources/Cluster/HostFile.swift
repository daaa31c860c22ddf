import Foundation
import Job
package import Telemetry
import Tensors

/// The machines of a job, one a line, in the grammar of DeepSpeed and Open MPI with some more words.
///
/// `cluster/hosts.example` explains every word.
package struct HostFile: Sendable {
    /// A hosts file cannot be used as it is.
    package struct Failure: FailureCausing, CustomStringConvertible {
        package let description: String
        package var cause: FailureReport.Cause { .config }
    }

    /// Its path.
    package let path: String
    /// The machines, in the file's order.
    package let hosts: [RemoteHost]

    /// Reads a file, and the environment files that it names.
    package init(path: String) throws(Failure) {
        let text: String
        do {
            text = try Files.text(of: path)
        } catch {
            throw Failure(
                description: "\(path): cannot be read (\(error)): name a file with one host a line, such as "
                    + "cluster/hosts.example")
        }
        try self.init(text: text, path: path)
    }

    /// Reads a text, with all that is wrong in one error.
    ///
    /// - Parameter path: where it comes from; environment files are found from there.
    package init(text: String, path: String) throws(Failure) {
        self.path = path
        var hosts: [RemoteHost] = []
        var problems: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        // Not Foundation's: it traps at a name of one character.
        let place = path.lastIndex(of: "/").map { String(path[..<max($0, path.index(after: path.startIndex))]) } ?? ""
        for (index, line) in lines.enumerated() {
            let words = Self.words(of: line)
            guard !words.isEmpty else { continue }
            do throws(Failure) {
                let host = try Self.host(words, directory: place)
                if hosts.contains(where: { $0.name == host.name && $0.port == host.port && $0.role == host.role }) {
                    throw Failure(description: "\(host.name) has a line already: give that one more slots")
                }
                hosts.append(host)
            } catch {
                problems += error.description.split(separator: "\n").map { "\(path):\(index + 1): \($0)" }
            }
        }
        if hosts.isEmpty, problems.isEmpty {
            problems = ["\(path): names no host: write one a line, such as `node1 slots=2`"]
        }
        guard problems.isEmpty else { throw Failure(description: problems.joined(separator: "\n")) }
        self.hosts = hosts
    }

    /// The words of a line, up to a comment.
    private static func words(of line: Substring) -> [String] {
        line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.prefix { !$0.hasPrefix("#") }.map(String.init)
    }

    private static let keys = ["slots", "role", "dir", "program", "env", "port"]

    private static func host(_ words: [String], directory: String) throws(Failure) -> RemoteHost {
        let name = words[0]
        guard !name.hasPrefix("-"), !name.contains("="), !name.hasSuffix("@"), !name.hasPrefix("@") else {
            throw Failure(description: "'\(name)' is no host: a line begins with host or user@host")
        }
        var host = RemoteHost(name: name)
        var problems: [String] = []
        var given: Set<String> = []
        for word in words.dropFirst() {
            do throws(Failure) {
                let key = String(word.prefix { $0 != "=" })
                guard given.insert(key).inserted else {
                    throw Failure(description: "\(word): \(key)= stands here twice: leave one of them")
                }
                try set(word, of: &host, directory)
            } catch {
                problems.append(error.description)
            }
        }
        guard problems.isEmpty else { throw Failure(description: problems.joined(separator: "\n")) }
        return host
    }

    private static func set(_ word: String, of host: inout RemoteHost, _ directory: String) throws(Failure) {
        let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2, !halves[1].isEmpty else {
            throw Failure(
                description: "'\(word)' is not understood: after the host come words like slots=2 "
                    + "(\(keys.joined(separator: ", ")))")
        }
        let (key, value) = (halves[0], halves[1])
        switch key {
        case "slots":
            guard let slots = Int(value), (1...65_535).contains(slots) else {
                throw Failure(description: "slots=\(value): say how many processes may run there, 1 to 65535")
            }
            host.slots = slots
        case "port":
            guard let port = Int(value), (1...65_535).contains(port) else {
                throw Failure(description: "port=\(value): say where its ssh server listens, 1 to 65535")
            }
            host.port = port
        case "role":
            guard let role = RemoteHost.Role(rawValue: value) else {
                throw Failure(description: "role=\(value): say server, worker or any")
            }
            host.role = role
        case "dir":
            guard value.hasPrefix("/") || value == "~" || value.hasPrefix("~/") else {
                throw Failure(description: "dir=\(value): say a directory of that host from / or from ~/")
            }
            host.directory = value
        case "program":
            guard value.hasPrefix("/") || !value.contains("/") else {
                throw Failure(
                    description: "program=\(value): say its whole path on that host, or a name that is found by PATH")
            }
            host.program = value
        case "env":
            let path = value.hasPrefix("/") || directory.isEmpty ? value : directory + "/" + value
            host.environment = try EnvironmentFile.read(path)
        default:
            let near = nearest(to: key, among: keys).map { ": did you mean \($0)?" } ?? ""
            throw Failure(
                description:
                    "\(key)= is not known\(near.isEmpty ? ": known are \(keys.joined(separator: ", "))" : near)")
        }
    }
}

/// A machine that is reached by ssh.
package struct RemoteHost: Sendable, Equatable {
    /// What may run there.
    package enum Role: String, Sendable { case server, worker, any }

    /// `host` or `user@host`, as ssh takes it.
    package let name: String
    /// Where its ssh server listens, unless ssh's own configuration says.
    package var port: Int?
    /// Processes that may run there.
    package var slots = 1
    /// What they may be.
    package var role = Role.any
    /// The working directory there.
    package var directory: String?
    /// The program there.
    package var program: String?
    /// What its processes get into their environment, in the file's order.
    package var environment: [EnvironmentFile.Variable] = []

    /// A machine with one slot for anything.
    package init(name: String) { self.name = name }
}
