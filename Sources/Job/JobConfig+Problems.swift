import Datasets
import Models
import Parameters
import Wire

extension JobConfig {
    /// A setting that makes no sense: its key, what it is and what it should be ("1 to 8").
    struct Problem {
        let key: String
        let value: String
        let expected: String

        /// "train.batch is 0, expected 1 to 1000000 samples".
        var text: String { "\(clipped(key)) is \(clipped(value)), expected \(expected)" }
    }

    /// Steps, rows of a checkpoint and the like stay countable in 32 bits, seconds in nanoseconds of 64.
    private static let most = 1_000_000_000
    private static let mostSeconds = 1_000_000.0

    /// Settings that make no sense, whatever the dataset.
    var problems: [Problem] {
        var found: [Problem] = []
        func check(_ isGood: Bool, _ key: String, _ value: some CustomStringConvertible, _ expected: String) {
            if !isGood { found.append(Problem(key: key, value: "\(value)", expected: expected)) }
        }
        func number(_ key: String, _ value: Int, _ range: ClosedRange<Int>, _ what: String = "") {
            check(range.contains(value), key, value, "\(range.lowerBound) to \(range.upperBound)\(what)")
        }
        func text(_ key: String, _ value: String, _ bytes: ClosedRange<Int>, _ expected: String) {
            check(bytes.contains(value.utf8.count), key, "'\(value)'", expected)
        }
        func seconds(_ key: String, _ value: Double, from least: Double) {
            check(
                value >= least && value <= Self.mostSeconds, key, value, "\(least) to \(Int(Self.mostSeconds)) seconds")
        }
        check(
            !data.directory.isEmpty && Carriable.problem(data.directory) == nil, "data.directory",
            "'\(data.directory)'",
            "a directory made by `myriad prepare`: a path of 1 to 4096 bytes without control characters")
        text("data.train", data.train, 1...1024, "a split of the dataset, as in train")
        text("data.validation", data.validation, 0...1024, "a split of the dataset, or \"\" for none")
        text("data.test", data.test, 0...1024, "a split of the dataset, or \"\" for none")
        number("data.history", data.history, 0...100_000, " behaviors")
        number("train.batch", train.batch, 1...1_000_000, " samples")
        if (1...1_000_000).contains(train.batch) {
            number("train.micro_batch", train.microBatch, 1...train.batch, " samples, the batch")
            check(
                train.batch / max(1, train.microBatch) < 65_536, "train.micro_batch", train.microBatch,
                "at least \(train.batch / 65_535 + 1): a batch has at most 65535 micro-batches")
        }
        number("train.epochs", train.epochs, 1...1_000_000)
        number("train.evaluations", train.evaluations, 0...1_000_000)
        number("train.max_steps", train.maxSteps, 0...Self.most)
        number("train.evaluate_every", train.evaluateEvery, 0...Self.most)
        number("train.patience", train.patience, 0...Self.most)
        check(train.minimumGain >= 0 && train.minimumGain <= 1000, "train.minimum_gain", train.minimumGain, "0 to 1000")
        number("rows.limit", rows.limit, 0...1_000_000_000_000, " rows")
        number("rows.partitions", rows.partitions, 1...65_536)
        number("checkpoint.every", checkpoint.every, 0...Self.most, " steps")
        number("checkpoint.keep", checkpoint.keep, 1...Self.most)
        number("cluster.servers", cluster.servers, 1...1024)
        number("cluster.shards", cluster.shards, 1...256)
        number("cluster.workers", cluster.workers, 1...4096)
        number("cluster.threads", cluster.threads, 1...1024)
        if (1...65_536).contains(rows.partitions) {
            check(
                rows.partitions & (rows.partitions &- 1) == 0, "rows.partitions", rows.partitions,
                "a power of two, as in 256")
            let (shards, _) = cluster.servers.multipliedReportingOverflow(by: cluster.shards)
            check(
                shards <= rows.partitions, "cluster.servers", cluster.servers,
                "at most \(rows.partitions) shards in all (rows.partitions), and \(cluster.shards) on each server make "
                    + "\(shards)")
        }
        seconds("cluster.request_timeout", cluster.requestTimeout, from: 0.01)
        seconds("cluster.silence", cluster.silence, from: 0.1)
        seconds("cluster.start_timeout", cluster.startTimeout, from: 0.1)
        // As long as a host's name and a port, and a path, can be.
        text("monitor.page", monitor.page, 1...300, "auto, off or host:port")
        text("monitor.token_file", monitor.tokenFile, 0...4096, "the path of a file, or \"\" for none")
        seconds("monitor.linger", monitor.linger, from: 0)
        func validate(_ section: String, _ validated: @autoclosure () throws -> Void) {
            do { try validated() } catch ModelError.option(let key, let value, let expected),
                ParametersError.option(let key, let value, let expected)
            {
                check(false, section + "." + key, value, expected)
            } catch {}
        }
        validate("model", try model.validate())
        validate("rows", try rows.optimizer.validate())
        validate("rows", try rows.schedule.validate())
        validate("rows", try rows.regularization.validate(with: rows.optimizer.kind))
        validate("dense", try dense.validate())
        return found
    }
}
