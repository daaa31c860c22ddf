import Foundation
import Job
package import Scheduler
package import Telemetry
import Tensors
import Wire

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
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        // Not Foundation's: it traps at a name of one character.
        let place = path.lastIndex(of: "/").map { String(path[..<max($0, path.index(after: path.startIndex))]) } ?? ""
        try Complaint.gather(lines, at: { "\(path):\($0 + 1): " }) { line throws(Complaint) in
            let words = Self.words(of: line)
            guard !words.isEmpty else { return }
            let host = try Self.host(words, directory: place)
            if hosts.contains(where: { $0.name == host.name && $0.port == host.port && $0.role == host.role }) {
                throw .config("\(host.name) has a line already: give that one more slots")
            }
            hosts.append(host)
        }
        guard !hosts.isEmpty else {
            throw .config("\(path): names no host: write one a line, such as `node1 slots=2`")
        }
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
        var given: Set<String> = []
        try Complaint.gather(words.dropFirst()) { word throws(Complaint) in
            let key = String(word.prefix { $0 != "=" })
            guard given.insert(key).inserted else {
                throw .config("\(word): \(key)= stands here twice: leave one of them")
            }
            try set(word, of: &host, directory)
        }
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
    package var environment: [String] = []

    /// A machine with one slot for anything.
    package init(name: String) { self.name = name }
}

/// A file of `VAR=VALUE` lines: what the processes of one host need in their environment.
package enum EnvironmentFile {
    /// Parts of names that speak of a secret, which has no place in a command line that everybody on a host can read.
    private static let secrets = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]

    /// Reads a file, with all that is wrong in one error.
    package static func read(_ path: String) throws(Complaint) -> [String] {
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
    package static func parse(_ text: String, path: String) throws(Complaint) -> [String] {
        var variables: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        try Complaint.gather(lines, at: { "\(path):\($0 + 1): " }) { whole throws(Complaint) in
            let line = whole.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { return }
            let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard halves.count == 2, isName(halves[0]) else {
                throw .config("'\(halves[0])' is not understood: write VARIABLE=value")
            }
            guard !secrets.contains(where: halves[0].uppercased().contains) else {
                throw .config(
                    "\(halves[0]) looks like a secret, and whoever is on that host can read command lines: leave it to a "
                        + "file there, and name the file")
            }
            variables.append(line)
        }
        return variables
    }

    private static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil }
}

// Which process runs on which machine: a function of the hosts file alone.
extension HostFile {
    /// Places servers, over as many machines as there are, then workers in the slots that are left, in the file's order.
    ///
    /// Machines for servers alone come first, and no server takes a slot without which a worker would have none.
    package func place(
        servers: Int, workers: Int
    ) throws(Complaint) -> [(member: Member, host: RemoteHost)] {
        func slots(_ role: RemoteHost.Role) -> Int { hosts.filter { $0.role == role }.reduce(0) { $0 + $1.slots } }
        let (server, worker, any) = (slots(.server), slots(.worker), slots(.any))
        let enough = servers <= server + any && workers <= worker + any && servers + workers <= server + worker + any
        guard enough else {
            let total = "\(server + worker + any) slots"
            let kinds =
                server + worker > 0 ? "\(total) (\(server) for servers, \(worker) for workers, \(any) for any)" : total
            throw .config(
                "\(path): has \(kinds), and \(count(servers, "server")) and "
                    + "\(count(workers, "worker")) need one each: add hosts, raise slots=, or ask for fewer with "
                    + "--servers and --workers")
        }
        var free = hosts.map(\.slots)
        var spare = any - max(0, workers - worker)
        var places: [(member: Member, host: RemoteHost)] = []
        let order =
            hosts.indices.filter { hosts[$0].role == .server } + hosts.indices.filter { hosts[$0].role == .any }
        while places.count < servers {
            for index in order where places.count < servers && free[index] > 0 {
                if hosts[index].role == .any {
                    guard spare > 0 else { continue }
                    spare -= 1
                }
                free[index] -= 1
                places.append((member: Member(role: .server, rank: places.count), host: hosts[index]))
            }
        }
        var rank = 0
        for index in hosts.indices where hosts[index].role != .server {
            while free[index] > 0, rank < workers {
                free[index] -= 1
                places.append((member: Member(role: .worker, rank: rank), host: hosts[index]))
                rank += 1
            }
        }
        return places
    }

    private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
