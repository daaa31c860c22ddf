/// What a shard refuses: settings that make no sense, and rows that are not its own.
package enum ParametersError: Error, CustomStringConvertible, Equatable {
    /// A setting outside its range: its key, what was found, and what is allowed.
    case option(String, found: String, expected: String)
    /// An id whose partition lives on another shard.
    case foreignId(UInt64, table: String, partition: Int)
    /// Id 0, the padding, in a list of rows.
    case paddingId(table: String, position: Int)
    /// An id that stands twice in a list of distinct rows.
    case repeatedId(UInt64, table: String, position: Int)
    /// A weight, statistic or optimizer state that is not a finite number; no id for the dense parameters.
    case diverged(table: String, id: UInt64?)
    /// A snapshot that does not fit its table or partition.
    case snapshot(table: String, partition: Int, String)

    package var description: String {
        switch self {
        case .option(let key, let found, let expected):
            "\(key) is \(found), but must be \(expected): correct it in the config"
        case .foreignId(let id, let table, let partition):
            "id \(id) of table \(table) belongs to partition \(partition), which this shard does not own: "
                + "the sender's shard map is out of date"
        case .paddingId(let table, let position):
            "id 0 (padding) at position \(position) of the ids of table \(table): padding has no row and is never sent"
        case .repeatedId(let id, let table, let position):
            "id \(id) stands a second time at position \(position) of the ids of table \(table): a list names a row once"
        case .diverged(let table, let id):
            "\(id.map { "row \($0) of table \(table)" } ?? table) holds a number that is infinite or NaN: the training "
                + "diverged; lower the learning rate, and continue from an earlier checkpoint"
        case .snapshot(let table, let partition, let problem):
            "the rows of table \(table), partition \(partition) cannot be restored: \(problem); use another checkpoint"
        }
    }
}

/// Throws unless a setting is in its range.
func check(
    _ isValid: Bool, _ key: String, _ found: some CustomStringConvertible, _ expected: String
) throws(ParametersError) {
    guard isValid else { throw .option(key, found: found.description, expected: expected) }
}
