import Datasets
import Foundation
import Job
import Tensors
import Testing

@testable import Models

/// The models against PyTorch: `Fixtures/make_fixtures.py` (Base and DIN) and `make_sequence_fixtures.py` (DIEN, DSIN and BST)
/// made the numbers, in float64, on padded tensors.
@Suite struct ParityTests {
    struct Note: Decodable {
        struct Batch: Decodable {
            let userRows, itemRows, contextRows, biasRows, behaviorRows: [[Int32]]
            let historyOf, historyOffsets, positionBehavior: [Int32]
            let negatives, sessionOffsets, historySessions: [Int32]?
            let times, positionTimes: [Int64]?
            let ids: [[UInt64]]
            let counts: [[UInt32]]
        }
        struct Entry: Decodable {
            let name: String
            let rows: Int
            let columns: Int
            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                name = try values.decode(String.self)
                rows = try values.decode(Int.self)
                columns = try values.decode(Int.self)
            }
        }
        let schema: Schema
        let options: ModelOptions
        let batch: Batch
        let entries: [Entry]
        let loss: Double
    }

    /// A file of cases.
    struct Fixture {
        let file: SafetensorsFile?
        let notes: [Note]

        init(_ name: String) {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
            file = try? SafetensorsFile(path: folder.appending(path: name + ".safetensors").path)
            let text = file?.metadata["cases"] ?? "[]"
            notes = (try? Self.notes(Data(text.utf8))) ?? []
        }

        /// Cases name the options that they set; the reader of configurations lays them over the defaults.
        private static func notes(_ text: Data) throws -> [Note] {
            let cases = try JSONSerialization.jsonObject(with: text) as? [[String: Any]] ?? []
            let whole = try cases.map { one in
                let given = try JSONSerialization.data(withJSONObject: ["model": one["options"]])
                let config = try ConfigReader.read(text: String(decoding: given, as: UTF8.self), name: "fixture")
                let options = try JSONSerialization.jsonObject(with: JSONEncoder().encode(config.model))
                return one.merging(["options": options]) { $1 }
            }
            return try JSONDecoder().decode([Note].self, from: JSONSerialization.data(withJSONObject: whole))
        }
    }

    static let models = Fixture("models")
    static let sequences = Fixture("sequences")

    /// The largest difference relative to the larger of 1 and the reference's largest magnitude.
    static func difference(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return .infinity }
        let scale = max(1, b.map(\.magnitude).max() ?? 0)
        return zip(a, b).map { ($0 - $1).magnitude }.map { $0.isNaN ? .infinity : $0 }.max().map { $0 / scale } ?? 0
    }

    @Test("Base and DIN: logits, loss and every gradient agree with PyTorch to 1e-5", arguments: 0..<28)
    func parity(number: Int) throws {
        try #require(Self.models.notes.count == 28)
        try compare(Self.models, number)
    }

    @Test("DIEN, DSIN and BST (20 each): logits, loss and every gradient agree with PyTorch", arguments: 0..<60)
    func sequences(number: Int) throws {
        try #require(Self.sequences.notes.count == 60)
        #expect(Self.sequences.notes[number].options.kind == [.dien, .dsin, .bst][number / 20])
        try compare(Self.sequences, number)
    }

    private func compare(_ fixture: Fixture, _ number: Int) throws {
        let note = fixture.notes[number]
        let model = try note.options.make(schema: note.schema)
        let name = (number < 10 ? "0" : "") + String(number)
        func column(_ part: String) throws -> [Float] {
            Array(try #require(fixture.file).column("\(name).\(part)", as: Float.self))
        }
        let bench = ModelBench(model, schema: note.schema)
        try bench.load(note, labels: try column("labels"), numeric: try column("numeric"))
        #expect(Set(note.entries.map(\.name)) == Set(model.layout.entries.map(\.name)))
        var first = 0
        let dense = try column("dense")
        let gradient = try column("gradient")
        var slots: [(Slot, Range<Int>)] = []
        for entry in note.entries {
            let slot = try #require(model.layout.entry(named: entry.name)).slot
            #expect(slot.rows == entry.rows && slot.columns == entry.columns, "\(entry.name)")
            slots.append((slot, first..<first + slot.count))
            bench.parameters[slot].base.update(from: Array(dense[first..<first + slot.count]), count: slot.count)
            first += slot.count
        }
        bench.setRows(try column("rows"))

        let loss = bench.train(key: 1)
        #expect(abs(loss - note.loss) <= 1e-5 * max(1, note.loss))
        #expect(Self.difference(bench.logits, try column("logits")) <= 1e-5)
        for (entry, (slot, range)) in zip(note.entries, slots) {
            let ours = Array(UnsafeBufferPointer(start: bench.gradient[slot].base, count: slot.count))
            #expect(Self.difference(ours, Array(gradient[range])) <= 1e-5, "gradient of \(entry.name)")
        }
        #expect(Self.difference(bench.rowGradients, try column("rowGradients")) <= 1e-5)
        bench.score()
        #expect(Self.difference(bench.logits, try column("scores")) <= 1e-5)
    }
}
