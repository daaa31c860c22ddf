import Foundation
import Telemetry
import Tensors

/// The keys of a cluster on disk: who the scheduler is, who this node is, and who may join.
///
/// `scheduler.key` and `node.key` are secret (mode 0600); `scheduler.pub`, `node.pub` and `allowed` may be read by all.
/// The scheduler's machine needs all of them, any other `scheduler.pub` and a `node.key`.
package struct KeyDirectory: Sendable {
    /// What a key may do.
    package enum Role: String, Sendable, CaseIterable {
        /// Join as a server or worker.
        case node
        /// Look only.
        case monitor
    }

    /// A line of `allowed`.
    package struct Grant: Sendable, Equatable {
        package var key: PublicKey
        /// What it may do.
        package var role: Role
        /// Whose it is, in one word.
        package var name: String

        package init(key: PublicKey, role: Role, name: String) {
            self.key = key
            self.role = role
            self.name = name
        }
    }

    /// Why keys cannot be used.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String

        /// What is wrong with a file, in a line of it where that is known.
        package init(_ path: String, line: Int? = nil, _ problem: String) {
            description = "\(path)\(line.map { ", line \($0)" } ?? ""): \(problem)"
        }

        /// A file or directory is not there.
        package init(missing path: String, remedy: String) { description = "\(path) does not exist: \(remedy)" }
    }

    package let path: String

    /// Keys in a directory, which need not exist yet.
    package init(_ path: String) { self.path = (path as NSString).expandingTildeInPath }

    /// Where keys are looked for unless told.
    package static var standard: KeyDirectory { KeyDirectory("~/.myriad/keys") }

    /// Whether it is there.
    package var exists: Bool { FileManager.default.fileExists(atPath: path) }

    // MARK: Reading

    /// The scheduler's own keys.
    package func scheduler() throws(Problem) -> KeyPair { try pair("scheduler") }

    /// This node's own keys.
    package func node() throws(Problem) -> KeyPair { try pair("node") }

    private func pair(_ name: String) throws(Problem) -> KeyPair {
        let remedy = "`myriad keys create --keys \(path)` makes it"
        return try first(of: "\(path)/\(name).key", secret: true, remedy: remedy, KeyPair.init(secret:))
    }

    /// By what the scheduler is known.
    package func schedulerKey() throws(Problem) -> PublicKey {
        let remedy = "copy it from the scheduler's key directory (`myriad keys show` there prints it)"
        return try first(of: path + "/scheduler.pub", secret: false, remedy: remedy) { PublicKey($0) }
    }

    /// The key in the first line of a file that says something.
    private func first<Key>(
        of file: String, secret: Bool, remedy: String, _ read: (String) -> Key?
    ) throws(Problem) -> Key {
        let found = try lines(file, remedy: remedy).first
        if secret { try checkSecret(file) }
        guard let found else { throw Problem(file, "holds no key") }
        guard let key = read(found.line) else {
            throw Problem(
                file, line: found.number, "is no \(secret ? "secret" : "public") key of 64 hexadecimal digits")
        }
        return key
    }

    /// Who may join or look.
    package func allowed() throws(Problem) -> [Grant] {
        let file = path + "/allowed"
        try checkOwner(file)
        var grants: [Grant] = []
        for (number, line) in try lines(file, remedy: "`myriad keys allow` adds a key") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2, let key = PublicKey(words[0]), let role = Role(rawValue: words[1]) else {
                throw Problem(
                    file, line: number,
                    "expected: public key (64 hexadecimal digits), node or monitor, a name; found '\(line.prefix(80))'")
            }
            grants.append(Grant(key: key, role: role, name: words.count > 2 ? words[2] : ""))
        }
        return grants
    }

    /// Lines that say something, with their numbers.
    private func lines(_ file: String, remedy: String) throws(Problem) -> [(number: Int, line: String)] {
        let text: String
        do {
            text = try Files.text(of: file)
        } catch {
            if error.isMissing { throw Problem(missing: file, remedy: remedy) }
            throw Problem(file, "cannot be read (\(error)): check its owner and mode")
        }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated().map { ($0 + 1, $1.trimmingCharacters(in: .whitespaces)) }
            .filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
    }

    /// Refuses a secret that others can read, or whose place others can change.
    private func checkSecret(_ file: String) throws(Problem) {
        guard let status = Files.status(file) else { throw Problem(file, String(cString: strerror(errno))) }
        let mode = status.st_mode & 0o777
        // How Kubernetes mounts a secret: owned by root, readable by the group that the process is in.
        let isMounted = status.st_uid == 0 && getuid() != 0 && mode & 0o037 == 0
        guard mode & 0o077 == 0 || isMounted else {
            throw Problem(file, "others may read this secret (mode 0\(String(mode, radix: 8))): chmod 600 \(file)")
        }
        try checkOwner(file)
    }

    /// Refuses what others own or may change.
    private func checkOwner(_ file: String) throws(Problem) {
        for place in [file, path] {
            guard let status = Files.status(place) else { continue }
            guard status.st_uid == getuid() || status.st_uid == 0 else {
                throw Problem(place, "belongs to another user (\(status.st_uid)): chown it to \(getuid())")
            }
            // A directory with the sticky bit lets nobody replace the files of others.
            let isSticky = status.st_mode & 0o1000 != 0
            guard status.st_mode & 0o022 == 0 || isSticky else {
                throw Problem(place, "others may change it: chmod go-w \(place)")
            }
        }
    }

    // MARK: Writing

    /// Makes keys for a cluster: the scheduler's, a node's, and a list that allows the node.
    ///
    /// Nothing is overwritten.
    ///
    /// - Parameter name: of the node in the list.
    package func create(name: String) throws {
        try makeDirectory()
        try write(try KeyPair(), as: "scheduler")
        let node = try KeyPair()
        try write(node, as: "node")
        try write("# public key, node or monitor, name\n", to: "allowed", mode: 0o644)
        try allow(Grant(key: node.publicKey, role: .node, name: name))
    }

    /// Writes what one more node needs, or somebody who looks at a job: its own keys and its scheduler's public key.
    ///
    /// The scheduler has to be told of them.
    package func create(_ node: KeyPair, scheduler: PublicKey) throws {
        try makeDirectory()
        try write(node, as: "node")
        try write("\(scheduler)\n", to: "scheduler.pub", mode: 0o644)
    }

    /// Adds a key to the list; whether it was not there already, in that role.
    @discardableResult
    package func allow(_ grant: Grant) throws -> Bool {
        let list = path + "/allowed"
        let letters = grant.name.unicodeScalars
        guard !letters.isEmpty, letters.allSatisfy({ $0.visible == nil && !$0.properties.isWhitespace }) else {
            throw Problem(
                list, "the name '\(grant.name.harmless)' is not one word: give another with --name")
        }
        if try allowed().contains(where: { $0.key == grant.key && $0.role == grant.role }) { return false }
        guard let handle = FileHandle(forWritingAtPath: list) else {
            throw Problem(list, "cannot be written: check its owner and mode")
        }
        defer { try? handle.close() }
        try Self.attempt(list) {
            let end = try handle.seekToEnd()
            // Whoever wrote the last line may have left it open.
            let last = try Files.read(list, limit: 1 << 20).last
            let isOpen = end > 0 && last != UInt8(ascii: "\n")
            try handle.write(
                contentsOf: Data("\(isOpen ? "\n" : "")\(grant.key) \(grant.role.rawValue) \(grant.name)\n".utf8))
        }
        return true
    }

    private func makeDirectory() throws(Problem) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Problem(
                path, "cannot be made (\(error.localizedDescription)): name another directory with --keys")
        }
    }

    private func write(_ pair: KeyPair, as name: String) throws {
        try write("# secret: never show, send or commit it\n\(pair.secretText)\n", to: name + ".key", mode: 0o600)
        try write("\(pair.publicKey)\n", to: name + ".pub", mode: 0o644)
    }

    /// Writes a new file with its mode from the start.
    private func write(_ text: String, to name: String, mode: mode_t) throws {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            let problem =
                errno == EEXIST
                ? "is there already and is not overwritten: name another directory with --keys, or remove it"
                : String(cString: strerror(errno))
            throw Problem(file, problem)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try Self.attempt(file) {
                try handle.write(contentsOf: Data(text.utf8))
                try handle.synchronize()
            }
        } catch {
            // Half a key would be in the way of the next attempt.
            unlink(file)
            throw error
        }
    }

    private static func attempt(_ file: String, _ work: () throws -> Void) throws(Problem) {
        do { try work() } catch {
            throw Problem(file, "cannot be written: \(error.localizedDescription)")
        }
    }
}
