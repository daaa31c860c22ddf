/// What a shard counted since its start; plain numbers owned by its thread.
package struct ShardStatistics: Sendable, Equatable {
    /// Pulls answered.
    package var pulls = 0
    /// Rows in them.
    package var pulledRows = 0
    /// Pushes held.
    package var pushes = 0
    /// Rows in them.
    package var pushedRows = 0
    /// Pulls that had to wait for a step.
    package var parked = 0
    /// Pushes of something already covered.
    package var duplicates = 0
    /// Row gradients dropped because their table was at its limit.
    package var refusedRows = 0
    /// Messages refused.
    package var refused = 0
    /// Malformed messages by worker rank.
    package var malformed: [UInt16: Int] = [:]
    /// Messages without a readable header.
    package var garbage = 0
    /// Bytes of values sent.
    package var bytesOut = 0
    /// Σ over steps of the regularization loss of touched rows.
    package var regularization = 0.0

    /// Nothing counted yet.
    package init() {}

    /// The counters by name, for a node's report.
    package var counters: [String: Int] {
        [
            "pulls": pulls, "pulled_rows": pulledRows, "pushes": pushes, "pushed_rows": pushedRows,
            "parked_pulls": parked, "duplicate_pushes": duplicates, "refused": refused, "refused_rows": refusedRows,
            "malformed": malformed.values.reduce(0, +) + garbage, "bytes_out": bytesOut,
        ]
    }
}
