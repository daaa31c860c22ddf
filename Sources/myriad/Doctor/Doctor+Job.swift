import Datasets
import Job
import Models
import Parameters
import Tensors

/// What a job needs.
extension Doctor {
    /// Bytes that the tables and the dense parameters of the job will take over all shards, and those of a checkpoint.
    var predictedBytes: (memory: Int, checkpoint: Int)? {
        guard let job else { return nil }
        var memory = 0
        var checkpoint = 0
        for table in job.tables {
            let known = job.dataset.info.ids[table.name] ?? 0
            let rows = table.limit.map { min($0, known) } ?? known
            // A row with its count and step, at most a sixteenth of slack, and 18 bytes of index.
            memory += rows * (table.rowLayout.payloadBytes + 8) * 17 / 16 + rows * 18
            checkpoint += rows * (table.rowLayout.payloadBytes + 16)
        }
        let dense = job.model.layout.count * 4 * 4
        return (memory + dense, checkpoint + dense)
    }

    func memory() -> Finding {
        let free = min(machine.availableMemory, machine.memoryQuota ?? .max)
        let group = machine.memoryQuota.map { ", \(size($0)) left by the control group" } ?? ""
        let found = "\(size(machine.availableMemory)) available\(group)"
        guard let bytes = predictedBytes?.memory else {
            return Finding("memory", .pass, "\(found); name a config to compare it with its tables")
        }
        let remedy = "use more machines for servers, rows.limit, or a smaller model.embedding.width"
        return Finding(
            "memory", "\(found); the tables will take \(size(bytes)) in all, one machine holding all shards",
            (bytes > free, .fail, "", remedy), (bytes > free / 10 * 7, .warn, "", remedy))
    }

    func dataset() -> [Finding] {
        guard let job else { return [] }
        return finding("dataset", or: "prepare it again (`myriad prepare`), on every machine") {
            _ = try job.examine()
            let samples = job.dataset.info.splits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.samples)" }
            return "\(job.config.data.directory): \(samples.joined(separator: ", ")) samples, all readable"
        }
    }

    /// What is found without an error, or the error and what to do.
    func finding(_ check: String, or remedy: String, _ body: () throws -> String) -> [Finding] {
        do {
            return [Finding(check, .pass, try body())]
        } catch {
            return [Finding(check, .fail, "\(error)", remedy: remedy)]
        }
    }
}
