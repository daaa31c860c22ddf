import Foundation

/// What a node needs of keys: its own pair, and by what it knows the scheduler.
package struct NodeKeys: Sendable {
    /// Who this node is.
    package var node: KeyPair
    /// By what the scheduler is known.
    package var scheduler: PublicKey

    package init(node: KeyPair, scheduler: PublicKey) {
        self.node = node
        self.scheduler = scheduler
    }

    /// The keys that a directory holds.
    package init(_ directory: KeyDirectory) throws(KeyDirectory.Problem) {
        node = try directory.node()
        scheduler = try directory.schedulerKey()
    }

    /// How a launcher hands them over on a node's standard input; an empty line ends them.
    ///
    /// Secret.
    package var text: String { "scheduler \(scheduler)\nnode \(node.secretText)\n\n" }

    /// Reads `text`; nil when it is something else.
    package init?(text: String) {
        var found: [Substring: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2 else { return nil }
            found[words[0]] = String(words[1])
        }
        guard let scheduler = found["scheduler"].flatMap({ PublicKey($0) }),
            let node = found["node"].flatMap({ KeyPair(secret: $0) })
        else { return nil }
        self.init(node: node, scheduler: scheduler)
    }

    /// Reads them from standard input, and nothing of what follows there; nil when something else comes.
    package static func fromStandardInput() -> NodeKeys? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < 1024, read(STDIN_FILENO, &byte, 1) == 1 {
            bytes.append(byte)
            if bytes.suffix(2) == [10, 10] { return NodeKeys(text: String(decoding: bytes, as: UTF8.self)) }
        }
        return nil
    }
}
