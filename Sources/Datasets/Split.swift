import Tensors

/// One split of a dataset: the impressions of all its parts, numbered through.
package final class Split: Sendable {
    /// The split's name: train, validation or test.
    package let name: String
    let parts: [SplitPart]
    /// Group number at which each part begins, and the total.
    let firstGroup: [Int]

    /// Impressions.
    package let groupCount: Int
    /// Candidates with a label.
    package let sampleCount: Int

    init(name: String, parts: [SplitPart]) {
        self.name = name
        self.parts = parts
        var firsts = [0]
        for part in parts { firsts.append(firsts[firsts.count - 1] + part.groupCount) }
        firstGroup = firsts
        groupCount = firsts[firsts.count - 1]
        sampleCount = parts.reduce(0) { $0 + $1.sampleCount }
    }

    /// Samples with label 1.
    var positiveCount: Int { parts.reduce(0) { $0 + $1.label.count { $0 == 1 } } }
    /// Stored behaviors.
    var behaviorCount: Int { parts.reduce(0) { $0 + ($1.behavior.first?.count ?? 0) } }

    /// Whether every behavior has a time.
    package var hasTimes: Bool { parts.allSatisfy { $0.behaviorTime != nil || $0.behavior.first?.isEmpty ?? true } }

    /// The latest time of an impression or a behavior; nil where nothing has a time.
    package var latestTime: Int64? {
        parts.flatMap { [$0.time?.max(), $0.behaviorTime?.max()] }.compactMap(\.self).max()
    }

    /// The first history that goes on beyond its impression, in words; nil where none does, or nothing has a time.
    package var future: String? {
        for part in parts {
            guard let time = part.time, let times = part.behaviorTime else { continue }
            for group in time.indices where part.historyEnd[group] > part.historyBegin[group] {
                let last = Int(part.historyEnd[group]) - 1
                if times[last] > time[group] {
                    return
                        "\(part.path): has the future in the history of group \(group): behavior.time \(times[last]) at "
                        + "event \(last) is later than the group's time \(time[group])"
                }
            }
        }
        return nil
    }

    /// The part that holds a group, and the group's place in it.
    @inline(__always)
    func locate(_ group: Int) -> (part: Int, group: Int) {
        if parts.count == 1 { return (0, group) }
        let part = firstGroup.count(upTo: group) - 1
        return (part, group - firstGroup[part])
    }

    /// Candidates of a group.
    func candidateCount(of group: Int) -> Int {
        let (part, local) = locate(group)
        return parts[part].candidates(of: local).count
    }
}

/// One file of a split, mapped; every offset in it was checked on opening, so that reading it cannot leave the map.
///
/// Unchecked: the buffers point into the mapping that `file` keeps alive, and nothing writes to it.
final class SplitPart: @unchecked Sendable {
    private let file: SafetensorsFile
    var path: String { file.path }
    let key: UnsafeBufferPointer<UInt64>
    let user: [UnsafeBufferPointer<UInt64>]
    let context: [UnsafeBufferPointer<UInt64>]
    let time: UnsafeBufferPointer<Int64>?
    let historyBegin: UnsafeBufferPointer<Int64>
    let historyEnd: UnsafeBufferPointer<Int64>
    let offsets: UnsafeBufferPointer<Int64>
    let behavior: [UnsafeBufferPointer<UInt64>]
    let behaviorTime: UnsafeBufferPointer<Int64>?
    let item: [UnsafeBufferPointer<UInt64>]
    let bias: [UnsafeBufferPointer<UInt64>]
    let label: UnsafeBufferPointer<Float>
    let numeric: UnsafeBufferPointer<Float>?
    let probability: UnsafeBufferPointer<Float>?

    var groupCount: Int { key.count }
    var sampleCount: Int { label.count }

    init(path: String, schema: Schema) throws {
        let file = try SafetensorsFile(path: path)
        self.file = file
        func ids(_ group: String, _ fields: [Schema.Field]) throws -> [UnsafeBufferPointer<UInt64>] {
            try fields.map { try file.column("\(group).\($0.column)", as: UInt64.self) }
        }
        func optional<Element: TensorElement>(
            _ name: String, _ type: Element.Type
        ) throws -> UnsafeBufferPointer<Element>? {
            file.contains(name) ? try file.column(name, as: type) : nil
        }
        key = try file.column("key", as: UInt64.self)
        user = try ids("user", schema.user)
        context = try ids("context", schema.context)
        time = try optional("time", Int64.self)
        historyBegin = try file.column("history.begin", as: Int64.self)
        historyEnd = try file.column("history.end", as: Int64.self)
        offsets = try file.column("candidates.offsets", as: Int64.self)
        behavior = try ids("behavior", schema.behavior)
        behaviorTime = try optional("behavior.time", Int64.self)
        item = try ids("item", schema.item)
        bias = try ids("item", schema.bias)
        label = try file.column("label", as: Float.self)
        numeric = schema.numeric.isEmpty ? nil : try file.column("numeric", as: Float.self)
        probability = try optional("probability", Float.self)
        if let problem = problem(numericCount: schema.numeric.count) {
            throw DatasetError.part(path: path, problem)
        }
    }

    /// The samples of a group.
    @inline(__always)
    func candidates(of group: Int) -> Range<Int> {
        Int(truncatingIfNeeded: offsets[group])..<Int(truncatingIfNeeded: offsets[group + 1])
    }

    private func problem(numericCount: Int) -> String? {
        let groups = key.count
        let samples = label.count
        let events = behavior.first?.count ?? Int.max
        let groupColumns = user.map(\.count) + context.map(\.count) + [historyBegin.count, historyEnd.count]
        if (groupColumns + [time?.count ?? groups]).contains(where: { $0 != groups }) {
            return "has group columns of different lengths (\(groups) keys)"
        }
        if (item.map(\.count) + [probability?.count ?? samples]).contains(where: { $0 != samples }) {
            return "has candidate columns of different lengths (\(samples) labels)"
        }
        if let numeric, numeric.count != samples * numericCount {
            return "has \(numeric.count) numeric values for \(samples) samples of \(numericCount)"
        }
        if (behavior.map(\.count) + [behaviorTime?.count ?? events]).contains(where: { $0 != events }) {
            return "has behavior columns of different lengths"
        }
        guard offsets.count == groups + 1, offsets[0] == 0, offsets[groups] == Int64(samples) else {
            return "has candidate offsets that do not span its \(samples) samples"
        }
        for group in 0..<groups where offsets[group] >= offsets[group + 1] {
            return "has no candidate, or decreasing offsets, in group \(group)"
        }
        for group in 0..<groups {
            let (begin, end) = (historyBegin[group], historyEnd[group])
            if begin < 0 || begin > end || end > Int64(clamping: events) || (behavior.isEmpty && end > begin) {
                return "has history \(begin)..<\(end) in group \(group), outside its behaviors"
            }
        }
        if let behaviorTime, let problem = problem(ofTimes: behaviorTime) { return problem }
        for (sample, value) in label.enumerated() where value != 0 && value != 1 {
            return "has label \(value) at sample \(sample); labels are 0 or 1"
        }
        if let index = numeric?.firstIndex(where: { !$0.isFinite }) {
            return "has a numeric value that is not finite at index \(index)"
        }
        for column in user + context + behavior + item {
            if let index = column.firstIndex(of: 0) { return "has id 0, which is kept for padding, at row \(index)" }
        }
        return nil
    }

    /// Histories are read from the oldest behavior to the newest: their times ascend.
    private func problem(ofTimes times: UnsafeBufferPointer<Int64>) -> String? {
        var falls: [Int] = []
        for event in times.indices.dropFirst() where times[event] < times[event - 1] { falls.append(event) }
        for group in key.indices where historyEnd[group] > historyBegin[group] {
            let (begin, last) = (Int(historyBegin[group]), Int(historyEnd[group]) - 1)
            // The first fall behind the history's first event.
            let next = falls.count(upTo: begin)
            if next < falls.count, falls[next] <= last {
                return "has a history in group \(group) whose behavior.time falls from \(times[falls[next] - 1]) to "
                    + "\(times[falls[next]]) at event \(falls[next]): behaviors stand oldest first"
            }
        }
        return nil
    }
}

extension Array where Element: Comparable {
    /// How many of the elements, which ascend, are at most a value.
    func count(upTo value: Element) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
