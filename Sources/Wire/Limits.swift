/// What a process takes from outside; everything that a message can make it allocate or read is bounded here.
package struct Limits: Sendable, Equatable {
    /// Rows of a message: 4 Mi is 20 rows a sample, as measured, of a worker's share of 200,000 samples.
    package var rows = 1 << 22
    /// Tables of a schema: public CTR sets have at most 40 fields, and the header has a byte.
    package var tables = 255
    /// Floats of a dense slice: 64 Mi, 256 MiB.
    package var dense = 1 << 26
    /// Samples of a contribution.
    package var samples = 1 << 24
    /// Samples of one message of scores: 16 MiB of logits, labels and keys.
    package var scores = 1 << 20
    /// Bytes of a frame of rows; a ZeroMQ socket refuses longer ones (`MAXMSGSIZE`) before allocating.
    package var frameBytes = 1 << 30
    /// Bytes of a JSON frame: a config, or the addresses of a thousand shards, are well below.
    package var controlBytes = 16 << 20
    /// Frames of a message with its header: a push, the longest, has 6.
    package var frames = 8

    /// The limits that fit every published data set.
    package init() {}
}

/// `found` unless it is beyond `limit`.
func check(_ kind: MessageKind, _ what: String, _ found: Int, limit: Int) throws(WireError) {
    guard found <= limit else { throw .limit(kind, what: what, found: found, limit: limit) }
}

/// Nothing unless `found` differs from `expected`.
func check(_ kind: MessageKind, _ what: String, _ found: Int, is expected: Int) throws(WireError) {
    guard found == expected else { throw .mismatch(kind, what: what, found: found, expected: expected) }
}
