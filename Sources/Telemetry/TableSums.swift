extension TableStatus {
    /// One table over all shards: sums of their counters, and the hottest ids of all, most frequent first, ids breaking ties.
    ///
    /// Ids of different shards are disjoint, so that nothing is counted twice.
    ///
    /// - Parameter index: the table's place in the schema; a shard that has not told of it yet is passed over.
    package init(summing index: Int, of shards: [ShardStatus]) {
        var hot: [(id: HotId, shard: Int)] = []
        for shard in shards where index < shard.report.tables.count {
            let part = shard.report.tables[index]
            name = part.name
            width = part.width
            rows = rows.plus(part.rows)
            bytes.add(part.bytes)
            pulledRows = pulledRows.plus(part.pulledRows)
            missedRows = missedRows.plus(part.missedRows)
            updatedRows = updatedRows.plus(part.updatedRows)
            refusedRows = refusedRows.plus(part.refusedRows)
            distinct += part.distinct
            hotTotal = hotTotal.plus(part.hotTotal)
            hot += part.hot.map { ($0, shard.report.shard) }
        }
        hot.sort { ($1.id.count, $0.id.id) < ($0.id.count, $1.id.id) }
        let total = Double(max(1, hotTotal))
        self.hot = hot.prefix(HotIds.capacity).map { entry, shard in
            HotPlace(
                id: String(entry.id), count: entry.count, error: entry.error, share: Double(entry.count) / total,
                shard: shard)
        }
    }
}
