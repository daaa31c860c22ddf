import Datasets
import Foundation
import Tensors

/// The workload of the training benchmark: 200,000 users, 1,000,000 items by Zipf's law, 10,000 categories, histories of
/// 1 to 50 behaviors in sessions of 10.
enum BenchData {
    private static let schema = Schema(
        tables: ["user", "item", "category"], user: [.init("user", table: "user")],
        item: [.init("item", table: "item"), .init("category", table: "category")],
        behavior: [.init("item", table: "item"), .init("category", table: "category")])

    /// Makes a dataset of raw arrays (`user.i32`, `item.i32`, `cat.i32`, `len.i32`, `hist_item.i32`, `hist_cat.i32`,
    /// `label.f32`; histories padded to 50), or of its own numbers when `arrays` is nil.
    static func write(to directory: String, arrays: String?, samples: Int = 65_536) throws {
        let writer = try DatasetWriter(directory: directory, name: "bench", schema: schema)
        let train = try writer.split("train")
        if let arrays {
            func load<T: BitwiseCopyable>(_ name: String, _ type: T.Type) throws -> [T] {
                do {
                    let data = try Files.read(arrays + "/" + name, limit: .max)
                    return data.withUnsafeBytes { Array($0.bindMemory(to: type)) }
                } catch {
                    throw Problem(description: "\(error): `myriad bench --help` says what --data is")
                }
            }
            let (users, items) = (try load("user.i32", Int32.self), try load("item.i32", Int32.self))
            let (categories, lengths) = (try load("cat.i32", Int32.self), try load("len.i32", Int32.self))
            let (histories, kinds) = (try load("hist_item.i32", Int32.self), try load("hist_cat.i32", Int32.self))
            let labels = try load("label.f32", Float.self)
            let longest = histories.count / max(1, users.count)
            guard [items.count, categories.count, lengths.count, labels.count].allSatisfy({ $0 == users.count }),
                histories.count == longest * users.count, kinds.count == histories.count,
                lengths.allSatisfy({ (0...Int32(clamping: longest)).contains($0) }),
                [users, items, categories, histories, kinds].allSatisfy({ $0.allSatisfy { $0 >= 0 } })
            else { throw Problem(description: "\(arrays): its arrays do not fit each other, or hold numbers below 0") }
            for sample in users.indices {
                try add(
                    to: train, user: Int(users[sample]), item: (Int(items[sample]), Int(categories[sample])),
                    history: (0..<Int(lengths[sample])).map {
                        (Int(histories[sample * longest + $0]), Int(kinds[sample * longest + $0]))
                    }, label: labels[sample])
            }
        } else {
            try writeOwn(to: train, samples)
        }
        try writer.finish()
    }

    private static func writeOwn(to train: SplitWriter, _ samples: Int) throws {
        var cumulated: [Double] = []
        var sum = 0.0
        for rank in 1..<1_000_000 {
            sum += 1 / Double(rank)
            cumulated.append(sum)
        }
        var counter: UInt64 = 0
        func unit() -> Double {
            counter += 1
            return Double(Philox.word(key: 20_240_613, 0, counter) >> 11) * 0x1p-53
        }
        func item() -> (Int, Int) {
            let value = unit() * sum
            var (low, high) = (0, cumulated.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if cumulated[middle] < value { low = middle + 1 } else { high = middle }
            }
            return (low + 1, Int(mix64(UInt64(low)) % 9_999) + 1)
        }
        for _ in 0..<samples {
            let length = Int(unit() * 50) + 1
            try add(
                to: train, user: Int(unit() * 199_999) + 1, item: item(), history: (0..<length).map { _ in item() },
                label: unit() < 0.5 ? 1 : 0)
        }
    }

    private static func add(
        to train: SplitWriter, user: Int, item: (Int, Int), history: [(Int, Int)], label: Float
    ) throws {
        var first = -1
        for (place, behavior) in history.enumerated() {
            let index = try train.appendEvent(
                behavior: [id(behavior.0), id(behavior.1)], time: Int64(place / 10 * 7200 + place))
            if first < 0 { first = index }
        }
        try train.group(
            key: id(user), user: [id(user)], time: nil, history: max(0, first)..<max(0, first) + history.count)
        try train.candidate(item: [id(item.0), id(item.1)], label: label)
    }

    private static func id(_ number: Int) -> UInt64 { UInt64(number) + 1 }
}
