import Foundation
import Testing

@testable import Transport

@Suite struct KeyDirectoryTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path

    private func set(_ mode: Int, _ name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + name)
    }

    @Test("keys that are made are read back, secrets for their owner only")
    func create() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keys = KeyDirectory(path)
        try keys.create(name: "lab")
        let (scheduler, node) = (try keys.scheduler(), try keys.node())
        #expect(scheduler.publicKey != node.publicKey)
        #expect(try keys.schedulerKey() == scheduler.publicKey)
        #expect(try keys.allowed() == [.init(key: node.publicKey, role: .node, name: "lab")])
        for (name, mode) in [("", 0o700), ("/scheduler.key", 0o600), ("/node.key", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + name)
            #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
        }
        #expect(KeyPair(secret: node.secretText)?.publicKey == node.publicKey)
        let sent = NodeKeys(node: node, scheduler: scheduler.publicKey).text
        #expect(NodeKeys(text: sent)?.node.publicKey == node.publicKey)
        #expect(NodeKeys(text: sent.replacing("node", with: "nobody")) == nil)
        // Nothing is overwritten.
        #expect(throws: KeyDirectory.Problem.self) { try keys.create(name: "again") }
        #expect(try keys.scheduler().publicKey == scheduler.publicKey)
    }

    @Test("a secret that others can read or replace is refused, with the remedy")
    func modes() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keys = KeyDirectory(path)
        try keys.create(name: "lab")
        for mode in [0o644, 0o640, 0o604, 0o660] {
            try set(mode, "/node.key")
            let error = #expect(throws: KeyDirectory.Problem.self) { try keys.node() }
            #expect(error?.description.contains("chmod 600 \(path)/node.key") == true)
        }
        try set(0o400, "/node.key")
        _ = try keys.node()
        try set(0o777, "")
        #expect(throws: KeyDirectory.Problem.self) { try keys.node() }
        try set(0o700, "")
        try set(0o666, "/allowed")
        #expect(throws: KeyDirectory.Problem.self) { try keys.allowed() }
    }

    @Test("damaged files name the file, the line and the remedy")
    func damaged() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keys = KeyDirectory(path)
        #expect("\(try #require(throws: KeyDirectory.Problem.self) { try keys.node() })".contains("keys create"))
        try keys.create(name: "lab")
        let other = try KeyPair().publicKey
        try "# comment\n\n\(other) boss x\n".write(toFile: path + "/allowed", atomically: true, encoding: .utf8)
        let error = try #require(throws: KeyDirectory.Problem.self) { try keys.allowed() }
        #expect("\(error)".contains("allowed, line 3: expected: public key"))
        try "zz\n".write(toFile: path + "/scheduler.pub", atomically: true, encoding: .utf8)
        #expect(throws: KeyDirectory.Problem.self) { try keys.schedulerKey() }
    }

    @Test("a key that is allowed twice may do what the stronger line says, in any order")
    func twice() throws {
        let key = try KeyPair().publicKey
        for roles in [[KeyDirectory.Role.node, .monitor], [.monitor, .node]] {
            let list = try AllowList(nil, own: roles.map { .init(key: key, role: $0, name: "x") }) { _ in }
            #expect(list.role(of: key) == .node)
        }
    }

    @Test("a list is read again when it changes; a damaged one changes nothing")
    func reloaded() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keys = KeyDirectory(path)
        try keys.create(name: "lab")
        let (late, own) = (try KeyPair().publicKey, try KeyPair().publicKey)
        let list = try AllowList(keys, own: [.init(key: own, role: .monitor, name: "run")]) { _ in }
        #expect(list.role(of: late) == nil && list.role(of: own) == .monitor)
        #expect(try keys.allow(.init(key: late, role: .node, name: "b")))
        #expect(try keys.allow(.init(key: late, role: .node, name: "b")) == false)
        #expect(list.role(of: late) == .node)
        try "rubbish\n".write(toFile: path + "/allowed", atomically: true, encoding: .utf8)
        #expect(list.role(of: late) == .node)
        try "# nobody\n".write(toFile: path + "/allowed", atomically: true, encoding: .utf8)
        #expect(list.role(of: late) == nil && list.role(of: own) == .monitor)
    }
}
