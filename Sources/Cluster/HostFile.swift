import Foundation
import Job
package import Telemetry
import Tensors

/// The machines of a job, one a line, in the grammar of DeepSpeed and Open MPI with some more words.
///
/// `cluster/hosts.example` explains every word.
package struct HostFile: Sendable {
    package let path: String
    /// The machines, in the file's order.
    package let hosts: [RemoteHost]

    /// Reads a file, and the environment files that it names.
    package init(path: String) throws(Complaint) {
        let text: String
        do {
            text = try Files.text(of: path)
        } catch {
            throw .config(
                "\(path): cannot be read (\(error)): name a file with one host a line, such as "
                    + "cluster/hosts.example")
        }
        try self.init(text: text, path: path)
    }

    /// Reads a text, with all that is wrong in one error.
    ///
    /// - Parameter path: where it comes from; environment files are found from there.
    package init(text: String, path: String) throws(Complaint) {
        self.path = path
        var hosts: [RemoteHost] = []
        var problems: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        // Not Foundation's: it traps at a name of one character.
        let place = path.lastIndex(of: "/").map { String(path[..<max($0, path.index(after: path.startIndex))]) } ?? ""
        for (index, line) in lines.enumerated() {
            let words = Self.words(of: line)
            guard !words.isEmpty else { continue }
            do throws(Complaint) {
                let host = try Self.host(words, directory: place)
                if hosts.contains(where: { $0.name == host.name && $0.port == host.port && $0.role == host.role }) {
                    throw .config("\(host.name) has a line already: give that one more slots")
                }
                hosts.append(host)
            } catch {
                problems += error.description.split(separator: "\n").map { "\(path):\(index + 1): \($0)" }
            }
        }
        if hosts.isEmpty, problems.isEmpty {
            problems = ["\(path): names no host: write one a line, such as `node1 slots=2`"]
        }
        guard problems.isEmpty else { throw .config(problems.joined(separator: "\n")) }
        self.hosts = hosts
    }

    /// The words of a line, up to a comment.
    private static func words(of line: Substring) -> [String] {
        line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.prefix { !$0.hasPrefix("#") }.map(String.init)
    }

    private static let keys = ["slots", "role", "dir", "program", "env", "port"]

    private static func host(_ words: [String], directory: String) throws(Complaint) -> RemoteHost {
        let name = words[0]
        guard !name.hasPrefix("-"), !name.contains("="), !name.hasSuffix("@"), !name.hasPrefix("@") else {
            throw .config("'\(name)' is no host: a line begins with host or user@host")
        }
        var host = RemoteHost(name: name)
        var problems: [String] = []
        var given: Set<String> = []
        for word in words.dropFirst() {
            do throws(Complaint) {
                let key = String(word.prefix { $0 != "=" })
                guard given.insert(key).inserted else {
                    throw .config("\(word): \(key)= stands here twice: leave one of them")
                }
                try set(word, of: &host, directory)
            } catch {
                problems.append(error.description)
            }
        }
        guard problems.isEmpty else { throw .config(problems.joined(separator: "\n")) }
        return host
    }

    private static func set(_ word: String, of host: inout RemoteHost, _ directory: String) throws(Complaint) {
        let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2, !halves[1].isEmpty else {
            throw .config(
                "'\(word)' is not understood: after the host come words like slots=2 "
                    + "(\(keys.joined(separator: ", ")))")
        }
        let (key, value) = (halves[0], halves[1])
        func refuse(_ wish: String) -> Complaint { .config("\(word): say \(wish)") }
        func number(_ wish: String) throws(Complaint) -> Int {
            guard let number = Int(value), (1...65_535).contains(number) else { throw refuse(wish + ", 1 to 65535") }
            return number
        }
        switch key {
        case "slots": host.slots = try number("how many processes may run there")
        case "port": host.port = try number("where its ssh server listens")
        case "role":
            guard let role = RemoteHost.Role(rawValue: value) else { throw refuse("server, worker or any") }
            host.role = role
        case "dir":
            guard value.hasPrefix("/") || value == "~" || value.hasPrefix("~/") else {
                throw refuse("a directory of that host from / or from ~/")
            }
            host.directory = value
        case "program":
            guard value.hasPrefix("/") || !value.contains("/") else {
                throw refuse("its whole path on that host, or a name that is found by PATH")
            }
            host.program = value
        case "env":
            let path = value.hasPrefix("/") || directory.isEmpty ? value : directory + "/" + value
            host.environment = try EnvironmentFile.read(path)
        default:
            let near = nearest(to: key, among: keys).map { "did you mean \($0)?" }
            throw .config("\(key)= is not known: \(near ?? "known are \(keys.joined(separator: ", "))")")
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

/// A file of `VAR=VALUE` lines: what the processes of one host need in their environment.
package enum EnvironmentFile {
    package struct Variable: Sendable, Equatable {
        package let name: String
        /// Its value, to the end of the line.
        package let value: String
    }

    /// Parts of names that speak of a secret, which has no place in a command line that everybody on a host can read.
    private static let secrets = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]

    /// Reads a file, with all that is wrong in one error.
    package static func read(_ path: String) throws(Complaint) -> [Variable] {
        let text: String
        do {
            text = try Files.text(of: path)
        } catch {
            throw .config(
                "env=\(path): cannot be read (\(error)): name a file of this machine, from the hosts file "
                    + "or from /")
        }
        return try parse(text, path: path)
    }

    /// Reads a text.
    package static func parse(_ text: String, path: String) throws(Complaint) -> [Variable] {
        var variables: [Variable] = []
        var problems: [String] = []
        for (index, whole) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = whole.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if halves.count != 2 || !isName(halves[0]) {
                problems.append("\(path):\(index + 1): '\(halves[0])' is not understood: write VARIABLE=value")
            } else if secrets.contains(where: halves[0].uppercased().contains) {
                problems.append(
                    "\(path):\(index + 1): \(halves[0]) looks like a secret, and whoever is on that host can read "
                        + "command lines: leave it to a file there, and name the file")
            } else {
                variables.append(Variable(name: halves[0], value: halves[1]))
            }
        }
        guard problems.isEmpty else { throw .config(problems.joined(separator: "\n")) }
        return variables
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == 95
        }
    }
}
