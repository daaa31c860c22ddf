#if !DEBUG
    import CAllocationCounter
    import TestMachine
    import Datasets
    import Foundation
    import Kernels
    import Models
    import Tensors
    import Testing
    import Wire

    @testable import Worker

    /// Only in release builds: without optimization the compiler itself allocates.
    @Suite(.serialized) struct AllocationTests {
        @Test(
            "100 steps of a compute thread (fill, forward, backward, sum along the tree) allocate nothing",
            // These kernels of OpenBLAS take heap memory for small matrices themselves.
            .enabled(
                if: Skips.runs(
                    "allocations of a step",
                    unless: ["COOPERLAKE", "SKYLAKEX", "SAPPHIRERAPIDS"].contains(blasCore().uppercased())
                        ? "kernels of \(blasCore()): set OPENBLAS_CORETYPE=Haswell" : nil)),
            arguments: ModelOptions.Kind.allCases)
        func steady(kind: ModelOptions.Kind) throws {
            useOneBLASThread()
            let directory = FileManager.default.temporaryDirectory.appending(path: "alloc-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let schema = Schema(
                tables: ["user", "item"], user: [.init("user", table: "user")], item: [.init("item", table: "item")],
                behavior: [.init("item", table: "item")])
            let writer = try DatasetWriter(directory: directory, name: "alloc", schema: schema)
            let train = try writer.split("train")
            for event in 0..<400 {
                let time = Int64(event / 4 * 3600 + event % 4)
                try train.appendEvent(behavior: [UInt64(2 + event * 7 % 97)], time: time)
            }
            for sample in 0..<256 {
                try train.group(
                    key: UInt64(sample + 2), user: [UInt64(2 + sample % 50)], time: nil,
                    history: sample..<sample + sample % 20)
                try train.candidate(item: [UInt64(2 + sample * 5 % 97)], label: Float(sample % 2))
            }
            try writer.finish()
            let split = try Dataset(directory: directory).split(named: "train")
            let model = try ModelOptions(kind).make(schema: schema)
            let compute = StepCompute(
                model: model, schema: schema, historyLimit: 50, threads: 1, capacity: 4, seed: 1, computed: {})
            let map = try PartitionMap(shards: 2)
            let plans = (0..<2).map { _ in StepPlan(schema: schema, map: map, capacity: 4) }
            let order = DataOrder(split, seed: 1, epoch: 0)
            for plan in plans { (plan.microBatchCount, plan.owned) = (4, 0..<4) }
            let negatives = try model.needs.negatives.map { try NegativeSampler(split, law: $0, seed: 1) }
            let source = StepCompute.Source(
                split: split, order: order, positions: 0..<256, size: 64, negatives: negatives)

            func step(_ number: Int) {
                let (current, next) = (plans[number % 2], plans[(number + 1) % 2])
                let tasks = compute.prepare(number == 0 ? nil : current, .train, fill: next, from: source)
                for task in 0..<tasks { compute.run(task: task, thread: 0) }
                next.unite()
                for (table, values) in compute.values.enumerated() {
                    values.fill(next.tables[table].ids.count * model.tables[table].width, with: 0.01)
                }
            }
            for number in 0..<20 { step(number) }
            allocation_counter_start()
            for number in 20..<120 { step(number) }
            let count = allocation_counter_stop()
            #expect(count == 0)
            // The counter does count.
            allocation_counter_start()
            let block = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 64)
            #expect(allocation_counter_stop() >= 1)
            block.deallocate()
        }
    }
#endif
