import CZeroMQ
import Foundation
import Testing

/// What libzmq itself lets in: Myriad's own sockets rest on these thirteen answers, and leave most of the settings out.
@Suite(.serialized) struct AuthenticationMatrixTests {
    /// One setting of a listening socket, one of a connecting one, and what becomes of them.
    struct Row: Sendable, CustomTestStringConvertible {
        enum Handler: Sendable { case absent, present }
        enum Client: Sendable { case withoutKeys, allowedKey, otherKey, wrongServerKey }

        let usesKeys: Bool
        let domain: String
        var isEnforced = false
        let handler: Handler
        let client: Client
        let isAccepted: Bool
        /// Whether the handler must have been asked; nil where there is none.
        var isAsked: Bool?

        var testDescription: String {
            let server = "\(usesKeys ? "CURVE" : "NULL"), domain '\(domain)'\(isEnforced ? " enforced" : "")"
            return "\(server), handler \(handler), client \(client): \(isAccepted ? "accepted" : "refused")"
        }
    }

    static let rows: [Row] = [
        // Keys without a handler encrypt and authenticate nobody.
        Row(usesKeys: true, domain: "", handler: .absent, client: .otherKey, isAccepted: true),
        Row(usesKeys: true, domain: "", handler: .absent, client: .withoutKeys, isAccepted: false),
        Row(usesKeys: true, domain: "", handler: .absent, client: .wrongServerKey, isAccepted: false),
        Row(usesKeys: true, domain: "myriad", handler: .absent, client: .otherKey, isAccepted: true),
        // The one setting that fails closed.
        Row(
            usesKeys: true, domain: "myriad", isEnforced: true, handler: .absent, client: .allowedKey,
            isAccepted: false),
        Row(usesKeys: false, domain: "myriad", handler: .absent, client: .withoutKeys, isAccepted: true),
        Row(
            usesKeys: false, domain: "myriad", isEnforced: true, handler: .absent, client: .withoutKeys,
            isAccepted: false),
        // With a handler.
        Row(
            usesKeys: true, domain: "myriad", handler: .present, client: .allowedKey, isAccepted: true, isAsked: true),
        Row(usesKeys: true, domain: "myriad", handler: .present, client: .otherKey, isAccepted: false, isAsked: true),
        Row(usesKeys: true, domain: "", handler: .present, client: .otherKey, isAccepted: false, isAsked: true),
        Row(usesKeys: false, domain: "", handler: .present, client: .withoutKeys, isAccepted: true, isAsked: false),
        Row(
            usesKeys: false, domain: "myriad", handler: .present, client: .withoutKeys, isAccepted: false,
            isAsked: true),
        // The authenticated key comes with every message.
        Row(usesKeys: true, domain: "", handler: .present, client: .allowedKey, isAccepted: true, isAsked: true),
    ]

    @Test("libzmq lets in whom the matrix says, and nobody else", arguments: rows)
    func matrix(row: Row) throws {
        let scene = try ForeignSockets(row)
        defer { scene.close() }
        let seen = scene.watch()
        if row.isAccepted {
            #expect(seen.messages.first == "hello", "\(seen)")
            #expect(!seen.events.contains { ForeignSockets.refusals.contains($0.number) }, "\(seen)")
        } else {
            // An event says so, and a client that is let in is heard over another socket afterwards: nothing is late.
            #expect(seen.messages.isEmpty, "\(seen)")
            #expect(!seen.events.contains { $0.number == UInt16(ZMQ_EVENT_HANDSHAKE_SUCCEEDED) }, "\(seen)")
            #expect(seen.events.contains { ForeignSockets.refusals.contains($0.number) }, "\(seen)")
            #expect(scene.messagesBehindProof().isEmpty)
        }
        if let isAsked = row.isAsked { #expect((seen.asked > 0) == isAsked, "\(seen)") }
        if row.handler == .present, !row.isAccepted {
            let refused = seen.events.filter { $0.number == UInt16(ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) }
            #expect(refused.contains { $0.value == 400 }, "the event carries the handler's answer: \(seen)")
        }
        if row.usesKeys, row.handler == .present, row.isAccepted {
            #expect(seen.userIds == [scene.allowed.publicKey], "the handler's name for a key stands on its messages")
        }
    }
}
