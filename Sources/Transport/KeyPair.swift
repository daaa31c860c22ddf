import CZeroMQ
import Foundation

/// A CURVE public key: 32 bytes, written as 64 hexadecimal digits, which no shell touches.
package struct PublicKey: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// A key of 32 bytes; nil for another length.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits.
    package init?(_ text: String) {
        guard let bytes = Hexadecimal.bytes(text) else { return nil }
        self.init(bytes: bytes)
    }

    package var description: String { Hexadecimal.text(bytes) }

    /// Enough of it to tell keys apart.
    package var short: String { String(description.prefix(12)) + "…" }
}

/// A CURVE key pair (Curve25519), by which a process proves who it is and encrypts.
package struct KeyPair: Sendable {
    /// What others may know.
    package let publicKey: PublicKey
    /// What nobody else may know.
    let secret: [UInt8]

    package init() throws(TransportError) {
        var (open, hidden) = ([CChar](repeating: 0, count: 41), [CChar](repeating: 0, count: 41))
        guard zmq_curve_keypair(&open, &hidden) == 0 else {
            throw .failed("zmq_curve_keypair", "\(lastError()): this libzmq was built without libsodium")
        }
        var secret = [UInt8](repeating: 0, count: 32)
        guard zmq_z85_decode(&secret, hidden) != nil, let pair = KeyPair(secret: Hexadecimal.text(secret)) else {
            throw .failed("zmq_z85_decode", lastError())
        }
        self = pair
    }

    /// The pair of a secret key of 64 hexadecimal digits; nil for anything else.
    package init?(secret text: String) {
        guard let secret = Hexadecimal.bytes(text), secret.count == 32 else { return nil }
        var (hidden, open) = ([CChar](repeating: 0, count: 41), [CChar](repeating: 0, count: 41))
        var key = [UInt8](repeating: 0, count: 32)
        guard zmq_z85_encode(&hidden, secret, 32) != nil, zmq_curve_public(&open, hidden) == 0,
            zmq_z85_decode(&key, open) != nil, let publicKey = PublicKey(bytes: key)
        else { return nil }
        self.publicKey = publicKey
        self.secret = secret
    }

    /// The secret key as its file holds it; never to be printed.
    package var secretText: String { Hexadecimal.text(secret) }
}

/// Bytes as pairs of hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
