package import Foundation

/// How a JSON file knows that its own bytes are whole: it states their SHA-256, taken with 64 zeros in these digits' place.
package enum Seal {
    /// What stands in the digest's place while the digest is taken.
    package static let none = String(repeating: "0", count: 64)

    /// The bytes of a file that states no digest yet, with theirs.
    package static func close(_ data: Data) -> Data { put(digest(of: data), in: data, for: none) }

    /// Whether a file that states this digest has it.
    package static func holds(_ stated: String, in data: Data) -> Bool {
        stated.utf8.count == 64 && digest(of: put(none, in: data, for: stated)) == stated
    }

    /// The bytes with one digest in another's place.
    static func put(_ digest: String, in data: Data, for other: String) -> Data {
        guard let range = data.range(of: Data("\"\(other)\"".utf8)) else { return data }
        var copy = data
        copy.replaceSubrange(range, with: Data("\"\(digest)\"".utf8))
        return copy
    }

    private static func digest(of data: Data) -> String {
        var hash = SHA256()
        data.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
