import Hashing
import Models
import Parameters
import Yams

extension JobConfig {
    /// The whole configuration, defaults included; reading it gives an equal one.
    package func yaml() throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = false
        let text = try encoder.encode(self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { JobConfig.readable($0) }
            .joined(separator: "\n")
    }

    /// A line whose number is written as people do: 0.001, not 1.00000004749745e-3.
    private static func readable(_ line: Substring) -> String {
        guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]),
            line.contains("e"), line.last?.isNumber == true, value.rounded() != value || line[space...].contains("e")
        else { return String(line) }
        // More digits than a float has: it was one, and its shortest form reads back to the same bits.
        let text = "\(value)"
        return line[...space] + (text.count > 12 ? "\(Float(value))" : text)
    }

    /// A number that names what determines the bits of a result: all but the cluster and what is saved.
    package func fingerprint() throws -> UInt64 {
        var copy = self
        copy.cluster = ClusterOptions()
        copy.checkpoint = CheckpointOptions()
        copy.monitor = MonitorOptions()
        copy.data.directory = ""
        copy.train.epochs = 0
        copy.train.maxSteps = 0
        return XXHash64.hash(try copy.yaml())
    }

    /// Settings that make no sense, each with its key.
    package var problems: [String] {
        var found: [String] = []
        func check(_ isGood: Bool, _ key: String, _ value: some CustomStringConvertible, _ expected: String) {
            if !isGood { found.append("\(key) is \(value), expected \(expected)") }
        }
        check((0...100_000).contains(data.history), "data.history", data.history, "0 to 100000 behaviors")
        check((1...1_000_000).contains(train.batch), "train.batch", train.batch, "1 to 1000000 samples")
        check(
            (1...train.batch).contains(train.microBatch), "train.micro_batch", train.microBatch,
            "1 to train.batch (\(train.batch))")
        check(
            train.batch / max(1, train.microBatch) < 65_536, "train.micro_batch", train.microBatch,
            "fewer micro-batches")
        check(train.epochs >= 1, "train.epochs", train.epochs, "at least 1")
        for (key, value) in [
            ("train.max_steps", train.maxSteps), ("train.evaluations", train.evaluations),
            ("train.evaluate_every", train.evaluateEvery), ("train.patience", train.patience),
            ("rows.limit", rows.limit), ("checkpoint.every", checkpoint.every),
        ] {
            check(value >= 0, key, value, "0 or more")
        }
        check(checkpoint.keep >= 1, "checkpoint.keep", checkpoint.keep, "at least 1")
        for (key, value, most) in [
            ("cluster.servers", cluster.servers, 1024), ("cluster.shards", cluster.shards, 256),
            ("cluster.workers", cluster.workers, 4096), ("cluster.threads", cluster.threads, 1024),
        ] {
            check((1...most).contains(value), key, value, "1 to \(most)")
        }
        for (key, value) in [
            ("cluster.request_timeout", cluster.requestTimeout), ("cluster.silence", cluster.silence),
            ("cluster.start_timeout", cluster.startTimeout),
        ] {
            check(value > 0 && value.isFinite, key, value, "seconds above 0")
        }
        func validate(_ section: String, _ body: () throws -> Void) {
            do { try body() } catch { found.append("\(section).\(error)") }
        }
        validate("rows") { try rows.optimizer.validate() }
        validate("rows") { try rows.schedule.validate() }
        validate("rows") { try rows.regularization.validate(with: rows.optimizer.kind) }
        validate("dense") { try dense.validate() }
        return found
    }
}
