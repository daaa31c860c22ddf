/// Where a shard listens, and by which key it is known.
package struct ShardWay: Sendable, Equatable {
    package var endpoint: String
    /// The key that it proves to hold; nil in plaintext.
    package var key: PublicKey?

    package init(endpoint: String, key: PublicKey? = nil) {
        self.endpoint = endpoint
        self.key = key
    }
}
