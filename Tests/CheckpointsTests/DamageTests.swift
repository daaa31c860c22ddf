import Extremes
import Foundation
import Parameters
import Tensors
import Testing
import Wire

@testable import Checkpoints

/// What is on disk is what it says, or it is refused by name.
@Suite struct DamageTests {
    /// A checkpoint of two shards after two steps, in a directory that goes with this object.
    private final class Written {
        let directory = FileManager.default.temporaryDirectory.appending(path: "cp-\(UUID().uuidString)").path
        let state: ShardedState
        let path: String
        let digest: String

        init(_ kind: OptimizerOptions.Kind = .adam) throws {
            state = try ShardedState(shards: 2, kind)
            try state.train(1...2)
            path = try state.write(directory, step: 2)
            digest = try CheckpointReader(path: path).contentDigest()
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path + "/" + name)) }

        func put(_ data: Data, _ name: String) throws { try data.write(to: URL(filePath: path + "/" + name)) }

        /// Changes the bytes of a file, and the manifest so that it agrees.
        func rewrite(_ name: String, _ change: (inout Data) -> Void) throws {
            var data = try data(name)
            change(&data)
            try put(data, name)
            let sum = String(data.withUnsafeBytes { XXHash64.hash($0) }, radix: 16)
            try remake { manifest in
                for place in manifest.parts.indices where manifest.parts[place].file == name {
                    manifest.parts[place].checksum = sum
                }
                if manifest.dense.file == name { manifest.dense.checksum = sum }
            }
        }

        /// Changes the manifest and states the digest that it then has.
        func remake(_ change: (inout Manifest) -> Void) throws {
            var manifest = try Manifest(directory: path)
            change(&manifest)
            try put(manifest.encoded(), "manifest.json")
        }

        /// Why it is refused; nil if it is read to the same content.
        func refusal() -> String? {
            do {
                let reader = try CheckpointReader(path: path)
                try reader.verify()
                let found = try reader.contentDigest()
                return found == digest ? nil : "ACCEPTED WITH ANOTHER CONTENT"
            } catch {
                return "\(error)"
            }
        }
    }

    @Test("each of 2,000 flipped bits is refused with the file's name, or changes nothing")
    func flips() throws {
        let written = try Written()
        let files = try FileManager.default.contentsOfDirectory(atPath: written.path).sorted()
        #expect(files.count == 4)
        try Flips.each(2000, of: files.map { written.path + "/" + $0 }) { path in
            let refusal = try #require(written.refusal(), "a bit of \(path) was not noticed")
            #expect(refusal.contains(path), "\(refusal)")
        }
        #expect(written.refusal() == nil)
    }

    @Test("every number of a manifest at its extremes is refused or changes nothing, and never traps")
    func extremes() throws {
        let written = try Written()
        let whole = try written.data("manifest.json")
        let digest = try Manifest(directory: written.path).digest
        let text = String(decoding: whole, as: UTF8.self)
        let numbers = text.matches(of: #/(?:: |^ *)(-?[0-9]+)(?=,?$)/#.anchorsMatchLineEndings())
        #expect(numbers.count > 270)
        // Of the 256 partitions, the first and last of each part will do.
        for match in numbers.filter({ $0.0.contains(":") }) + numbers.suffix(10) {
            for number in [
                "-1", "-9223372036854775808", "9223372036854775807", "1000000000000000000", "4611686018427387904",
            ] {
                let changed = text.replacingCharacters(in: match.1.startIndex..<match.1.endIndex, with: number)
                try written.put(Seal.close(Seal.put(Seal.none, in: Data(changed.utf8), for: digest)), "manifest.json")
                let refusal = written.refusal()
                #expect(refusal?.contains("manifest.json") ?? true, "\(match.0) \(number): \(refusal ?? "")")
                if refusal == nil { try ShardedState(shards: 1, .adam).restore(written.path) }
            }
        }
        try written.put(whole, "manifest.json")
        #expect(written.refusal() == nil)
    }

    @Test("parts that do not hold every partition once, or other rows than counted, are refused")
    func parts() throws {
        let changes: [(inout Manifest) -> Void] = [
            { $0.parts.removeLast() }, { $0.parts[1].partitions.removeFirst() }, { $0.parts[1] = $0.parts[0] },
            { $0.parts[0].partitions = [] }, { $0.parts[0].rows[0] += 1 }, { $0.tables[0].rows -= 1 },
            {
                $0.parts[0].rows[0] += 1
                $0.tables[0].rows += 1
            },
            { $0.parts[0].file = "../\($0.parts[0].file)" }, { $0.step = 1 }, { $0.tables.swapAt(0, 1) },
            { $0.tables[0].width = 5 }, { $0.tables[0].slots = 0 }, { $0.dense.rows = [1] },
        ]
        for (number, change) in changes.enumerated() {
            let written = try Written()
            try written.remake(change)
            #expect(
                written.refusal()?.contains("damaged") == true, "change \(number): \(written.refusal() ?? "accepted")")
        }
    }

    @Test(
        "ids out of order or in a foreign partition, and numbers that are not finite, are refused before a table changes"
    )
    func rows() throws {
        let name = "shard-0-of-2.safetensors"
        func place(_ written: Written, _ tensor: String) throws -> Int {
            // Offsets of the file's header are from its end.
            let data = try written.data(name)
            let length = Int(data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.1) << UInt64(8 * $1.0) })
            let header = try #require(
                try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]])
            return try 8 + length + #require((header[tensor]?["data_offsets"] as? [Int])?.first)
        }
        let changes: [(tensor: String, bytes: [UInt8], words: String)] = [
            ("user.ids", [1, 0, 0, 0, 0, 0, 0, 0], "partition"),
            ("item.ids", [UInt8](repeating: 0, count: 8), "ascend"),
            ("item.ids", [UInt8](repeating: 255, count: 8), "partition"),
            ("user.weights", [0, 0, 0xc0, 0x7f], "not finite"), ("item.slots", [0, 0, 0x80, 0xff], "not finite"),
            ("item.offsets", [1], "offsets"), ("user.partitions", [9], "partitions"),
        ]
        for change in changes {
            let written = try Written()
            let first = try place(written, change.tensor)
            try written.rewrite(name) { $0.replaceSubrange(first..<first + change.bytes.count, with: change.bytes) }
            let other = try ShardedState(shards: 1, .adam)
            let before = other.tables[0].map(\.rowCount)
            do {
                try other.restore(written.path)
                Issue.record("\(change) was accepted")
            } catch {
                #expect("\(error)".contains(name) && "\(error)".contains(change.words), "\(error)")
            }
            #expect(other.tables[0].map(\.rowCount) == before)
        }
        let written = try Written()
        try written.rewrite("dense.safetensors") {
            $0.replaceSubrange($0.count - 4..<$0.count, with: [0, 0, 0xc0, 0x7f])
        }
        #expect(written.refusal()?.contains("not finite") == true)
    }

    @Test("what another release wrote and what the system refuses is not called damaged")
    func noDamage() throws {
        let written = try Written()
        try written.remake {
            $0.format = 3
            $0.origin.release = "9.1"
        }
        #expect(written.refusal()?.contains("newer format 3") == true && written.refusal()?.contains("9.1") == true)
        let older = #"{"format": 1, "step": 2, "partitions": 256, "tables": [], "parts": []}"#
        try written.put(Data(older.utf8), "manifest.json")
        #expect(written.refusal()?.contains("older format 1") == true)
        let other = try Written()
        for name in ["dense.safetensors", "manifest.json"] {
            let path = other.path + "/" + name
            unlink(path)
            symlink(path, path)
            do {
                try CheckpointReader(path: other.path).verify()
                Issue.record("\(name) was read")
            } catch {
                guard case .read(path, _) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
        #expect(throws: CheckpointError.self) { try CheckpointReader.all(in: other.directory) }
    }
}
