import Datasets
import Telemetry
import Tensors
import Wire

/// The block of a split that this worker scores, chunk by chunk, and the scores so far.
final class Scoring {
    let name: String
    /// The step after which the state scores.
    let step: Int
    /// The steps behind which the worker stands meanwhile.
    let stand: ClosedRange<Int>
    let split: Split
    let order: DataOrder
    /// Micro-batches of the split that are this worker's.
    let block: Range<Int>
    /// Micro-batches of the split.
    let microBatches: Int
    /// The micro-batches in work; the next chunk begins at its end.
    var chunk: Range<Int>
    let logits = Column<Float>()
    let labels = Column<Float>()
    let keys = Column<UInt64>()

    init(_ name: String, of split: Split, step: Int, stand: ClosedRange<Int>, _ options: WorkerOptions) {
        (self.name, self.split, self.step, self.stand) = (name, split, step, stand)
        order = DataOrder(split, seed: 0, epoch: nil)
        microBatches = options.plan.microBatches(over: split.sampleCount)
        block = Subtree.block(options.rank, of: options.workers, over: microBatches)
        chunk = block.lowerBound..<block.lowerBound
    }

    /// The micro-batches after the current ones, at most `capacity`.
    func next(_ capacity: Int) -> Range<Int> {
        chunk.upperBound..<min(chunk.upperBound + capacity, block.upperBound)
    }
}

extension WorkerLoop {
    /// Micro-batches in one round of scoring.
    private var chunkSize: Int { compute.contributions.count }

    /// Reads the first chunk of this worker's part of a split.
    func beginScoring(_ name: String, after step: Int, behind stand: ClosedRange<Int>) {
        guard let split = options.scored[name] else {
            fail("the dataset has no split '\(name)'", step: step)
            return
        }
        let score = Scoring(name, of: split, step: step, stand: stand, options)
        guard !score.block.isEmpty else {
            endScoring(score)
            return
        }
        phase = .filling(.scoring(score))
        fill(score.next(chunkSize), of: score)
        start(nil, .score, fill: scoring.next, from: source(of: score))
    }

    private func fill(_ chunk: Range<Int>, of score: Scoring) {
        scoring.next.step = score.step
        scoring.next.microBatchCount = score.microBatches
        scoring.next.owned = chunk
    }

    private func source(of score: Scoring) -> StepCompute.Source {
        StepCompute.Source(
            split: score.split, order: score.order, positions: 0..<score.split.sampleCount,
            size: options.plan.microBatch)
    }

    /// Scores the chunk whose values are in, and fills the next.
    func scoreRound(_ score: Scoring) {
        let next = score.next(chunkSize)
        if !next.isEmpty { fill(next, of: score) }
        let (plan, source) = next.isEmpty ? (nil, nil) : (scoring.next, source(of: score))
        start(scoring.current, .score, fill: plan, from: source)
    }

    /// Keeps the scores of the round, then pulls for the next chunk or sends all.
    func finishedScoring(_ score: Scoring, hasComputed: Bool) {
        if hasComputed {
            for number in 0..<scoring.current.owned.count {
                let batch = scoring.current.batches[number]
                append(compute.logits[number], to: score.logits)
                append(batch.labels, to: score.labels)
                append(batch.keys, to: score.keys)
            }
        }
        let next = score.next(chunkSize)
        guard !next.isEmpty else {
            endScoring(score)
            return
        }
        scoring.next.unite()
        scoring.swap()
        score.chunk = next
        pull(for: .scoring(score))
    }

    private func append<T>(_ source: Column<T>, to target: Column<T>) {
        let count = target.count
        target.resize(count + source.count)
        (target.base + count).update(from: source.base, count: source.count)
    }

    /// Sends the scores in messages of bounded size and waits for the verdict.
    private func endScoring(_ score: Scoring) {
        let first = score.block.lowerBound * options.plan.microBatch
        let limit = 1 << 18
        for start in stride(from: 0, to: score.logits.count, by: limit) {
            let part = start..<min(start + limit, score.logits.count)
            actions.append(
                .scores(
                    .scores(
                        identity,
                        range: ScoresRange(
                            split: score.name, step: score.step, first: first + start, count: part.count),
                        logits: Payload(copying: Array(score.logits.buffer[part])),
                        labels: Payload(copying: Array(score.labels.buffer[part])),
                        keys: Payload(copying: Array(score.keys.buffer[part])))))
        }
        client.counts.scored += score.logits.count
        told = client.counts
        stand(behind: score.stand)
        takeEarly()
    }
}
