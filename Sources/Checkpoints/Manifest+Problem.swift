import Telemetry
import Wire

/// What a manifest must say so that it can be used: every number within its bounds, every partition in one part.
extension Manifest {
    /// The most that one number of rows or bytes may be; sums of such numbers do not overflow.
    static let most = 1 << 46

    /// What makes no sense, or nil.
    var problem: String? {
        let counts = 0...Self.most
        guard (0...Self.stepLimit).contains(step) else { return "has step \(step), expected 0 to \(Self.stepLimit)" }
        guard (-step...Self.most).contains(origin.earlierUpdates) else {
            return "has \(origin.earlierUpdates) earlier updates"
        }
        guard (1...1 << 16).contains(partitions), partitions & (partitions - 1) == 0 else {
            return "has \(partitions) partitions, expected a power of two up to 65536"
        }
        guard tables.count <= 1 << 16, Set(tables.map(\.name)).count == tables.count else {
            return "has two tables of one name"
        }
        for table in tables {
            guard (1...1 << 16).contains(table.width), (0...1 << 18).contains(table.slots), counts.contains(table.rows)
            else {
                return "has a table '\(table.name)' of \(table.rows) rows of \(table.width) + \(table.slots) floats"
            }
        }
        return problemOfJudgement ?? problemOfParts
    }

    private var problemOfJudgement: String? {
        for step in [judgement.step, judgement.bestStep].compactMap(\.self) where !(0...self.step).contains(step) {
            return "tells of an evaluation at step \(step), after its own"
        }
        let numbers =
            [judgement.withoutGain]
            + [judgement.best, judgement.test].flatMap { metrics in
                [metrics?.samples ?? 0, metrics?.positives ?? 0]
            }
        return numbers.allSatisfy { (0...Self.most).contains($0) } ? nil : "tells of evaluations with \(numbers)"
    }

    private var problemOfParts: String? {
        guard parts.count <= partitions else { return "has \(parts.count) parts for \(partitions) partitions" }
        var isHeld = [Bool](repeating: false, count: partitions)
        var rows = [Int](repeating: 0, count: tables.count)
        var names: Set<String> = ["manifest.json"]
        for file in parts + [dense] {
            guard !file.file.isEmpty, !file.file.hasPrefix("."), !file.file.contains("/"),
                names.insert(file.file).inserted, (0...Self.most).contains(file.bytes)
            else { return "has a file '\(file.file)' of \(file.bytes) bytes" }
            var last = -1
            for partition in file.partitions {
                guard partition > last, partition < partitions, !isHeld[partition] else {
                    return "has partition \(partition) in \(file.file), out of order or a second time"
                }
                isHeld[partition] = true
                last = partition
            }
        }
        guard dense.partitions.isEmpty, dense.rows.isEmpty else { return "has rows in \(dense.file)" }
        for part in parts {
            guard part.rows.count == tables.count, part.rows.allSatisfy({ (0...Self.most).contains($0) }) else {
                return "has \(part.rows) rows in \(part.file), expected a number for each of \(tables.count) tables"
            }
            for (index, count) in part.rows.enumerated() { rows[index] += count }
        }
        if let missing = isHeld.firstIndex(of: false) { return "has no part with partition \(missing)" }
        for (table, count) in zip(tables, rows) where table.rows != count {
            return "has \(table.rows) rows of table '\(table.name)', its parts have \(count)"
        }
        return nil
    }
}
