/// Writes what was read of Alimama's ads: splits by time, an impression for the lines of one user, time and pid.
///
/// Impressions stand by user and time. A user's behaviors are stored once in every split; histories are slices of
/// them, and hold what happened strictly before the impression.
struct AlimamaWriter {
    private let source: Alimama
    private let kinds = AlimamaOptions.kinds.map { Amazon.id($0) }

    init(_ source: Alimama) { self.source = source }

    /// Writes the three splits; `source` is empty then.
    func write(to writer: DatasetWriter, progress: (Double) -> Void) throws {
        let splits = try ["train", "validation", "test"].map { try writer.split($0) }
        let ends = [source.options.validationFrom, source.options.testFrom, Int64.max]
        let samples = source.takeSamples()
        let ranges = source.userRanges
        for (number, users) in ranges.enumerated() {
            progress(Double(number) / Double(ranges.count))
            let behaviors = source.takeBehaviors(number)
            for user in users {
                var rest = samples[user]
                for (split, end) in zip(splits, ends) {
                    let part = rest.prefix { Int64($0.time) < end }
                    rest = rest.dropFirst(part.count)
                    try write(user, part, behaviors[user], to: split)
                }
            }
        }
    }

    private func write(
        _ user: Int, _ samples: ArraySlice<Alimama.Sample>, _ behaviors: ArraySlice<Alimama.Behavior>,
        to split: SplitWriter
    ) throws {
        guard let earliest = samples.first, let latest = samples.last else { return }
        let longest = source.options.storedHistory == 0 ? Int.max : source.options.storedHistory
        var end = behaviors.prefix { $0.time < earliest.time }.count
        let stored = behaviors.dropFirst(end - min(end, longest)).prefix { $0.time < latest.time }
        var first: Int?
        for behavior in stored {
            let index = try split.appendEvent(
                behavior: [
                    source.cates.ids[Int(behavior.cate)], source.brands.ids[Int(behavior.brandAndKind >> 2)],
                    kinds[Int(behavior.brandAndKind & 3)],
                ], time: Int64(behavior.time))
            if first == nil { first = index }
        }
        let start = first ?? 0
        end = 0
        let fields = source.userFields(user)
        var open: Alimama.Sample?
        for sample in samples {
            if open?.time != sample.time || open?.pid != sample.pid {
                while end < stored.count, stored[stored.startIndex + end].time < sample.time { end += 1 }
                try split.group(
                    key: fields[0], user: fields, context: [source.pids.ids[Int(sample.pid)]],
                    time: Int64(sample.time), history: start + end - min(end, longest)..<start + end)
                open = sample
            }
            let ad = Int(sample.ad)
            try split.candidate(
                item: source.adFields(ad), label: sample.isClick ? 1 : 0, numeric: [source.prices[ad]])
        }
    }
}
