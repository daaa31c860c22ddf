import Datasets
import Foundation
import Tensors

/// A dataset of a few samples in a directory of its own, with every kind of feature; removed at the end.
final class TinyDataset {
    /// Where it is.
    let directory: String

    static let schema = Schema(
        tables: ["user", "item", "category", "city"], user: [.init("user", table: "user")],
        item: [.init("item", table: "item"), .init("category", table: "category")],
        behavior: [.init("item", table: "item"), .init("category", table: "category")],
        context: [.init("city", table: "city")], numeric: ["age"])

    /// Splits of 40, 8 and 8 samples; times are `start` and up.
    init(start: Int64 = 1_000_000) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "tiny-\(UUID().uuidString.prefix(8))").path
        let writer = try DatasetWriter(directory: directory, name: "tiny", schema: Self.schema)
        for (name, users) in [("train", 20), ("validation", 4), ("test", 4)] {
            let split = try writer.split(name)
            for user in 1...users {
                let first = (user - 1) * 3
                for event in 0..<3 {
                    let item = UInt64(1 + (first + event) % 7)
                    try split.appendEvent(behavior: [item, 100 + item % 3], time: start + Int64(event))
                }
                try split.group(
                    key: UInt64(user), user: [UInt64(user)], context: [5], time: start + 3,
                    history: first..<first + 3)
                try split.candidate(item: [3, 100], label: 1, numeric: [0.5])
                try split.candidate(item: [UInt64(4 + user % 3), 101], label: 0, numeric: [1])
            }
        }
        try writer.finish()
        // Its files are about to be changed on purpose.
        try? FileManager.default.removeItem(atPath: directory + "/checksums")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The path of a split's only part.
    func part(_ split: String) -> String { "\(directory)/\(split)-00000.safetensors" }

    /// One column of a part, as it will be written again.
    struct Column {
        let name: String
        var type: TensorType
        var bytes: [UInt8]

        /// Its elements are these.
        mutating func set<T: TensorElement>(_ elements: [T]) {
            type = T.tensorType
            bytes = elements.withUnsafeBytes { Array($0) }
        }

        /// One element is another one.
        mutating func set<T: TensorElement>(_ element: T, at index: Int) {
            let size = MemoryLayout<T>.size
            bytes.replaceSubrange(index * size..<(index + 1) * size, with: withUnsafeBytes(of: element) { Array($0) })
        }
    }

    /// Writes a part again, with columns that `change` has changed; nil leaves one out.
    func rewrite(_ split: String, _ change: (inout Column) -> Bool) throws {
        var columns: [Column] = []
        do {
            let file = try SafetensorsFile(path: part(split))
            for tensor in file.tensors.values {
                var column = Column(name: tensor.name, type: tensor.type, bytes: Array(file.bytes(of: tensor)))
                if change(&column) { columns.append(column) }
            }
        }
        columns.sort { ($1.type.byteCount, $0.name) < ($0.type.byteCount, $1.name) }
        let writer = try SafetensorsWriter(
            path: part(split), columns.map { .init($0.name, $0.type, [$0.bytes.count / $0.type.byteCount]) })
        for column in columns { try column.bytes.withUnsafeBytes { try writer.write($0) } }
        try writer.finish()
    }

    /// Replaces text in dataset.yaml.
    func replace(_ old: String, by new: String) throws {
        let path = directory + "/dataset.yaml"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
    }
}
