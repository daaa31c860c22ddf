import Foundation
import Kernels
import Tensors
import Testing

@testable import Models

/// The layers of DIEN and DSIN against PyTorch: `Fixtures/make_layer_fixtures.py` made the numbers, in float64, on padded
/// tensors; outputs, and gradients of inputs and weights.
@Suite struct LayerParityTests {
    struct Note: Decodable {
        struct Options: Decodable {
            let hidden: Hidden?
            let reset: GRU.Reset?
            let update: GRU.Update?
            let hiddenBias: Bool?
            let augru: String?
            let layers: Int?
            let merge: BidirectionalLSTM.Merge?
            let peephole: Bool?
            let epsilon: Float?
            let heads: Int?
            let projections: MultiHeadAttention.Projections?
            let scale: MultiHeadAttention.Scale?
            let blinding: Bool?
            let output: Bool?
            let count: Int?
            let length: Int?
            let weight: Float?

            enum CodingKeys: String, CodingKey {
                case hidden, reset, update, augru, layers, merge, peephole, epsilon, heads, projections, scale, blinding
                case output, count, length, weight
                case hiddenBias = "hidden_bias"
            }
        }
        /// One width, or those of several layers.
        enum Hidden: Decodable {
            case width(Int)
            case widths([Int])

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let width = try? value.decode(Int.self) {
                    self = .width(width)
                } else {
                    self = .widths(try value.decode([Int].self))
                }
            }
        }
        let kind: String
        let options: Options
        let shapes: [String: [Int]]
        let lengths: [Int32]
        let behavior, negatives, counts, sessionsOf: [Int32]?
    }

    static let file = try? SafetensorsFile(
        path: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/layers.safetensors").path)
    static let text = file?.metadata["cases"] ?? "[]"
    static let notes = (try? JSONDecoder().decode([Note].self, from: Data(text.utf8))) ?? []
    /// The options of the auxiliary loss as the layer itself reads them; nil of other layers.
    private struct AuxiliaryNote: Decodable {
        let options: AuxiliaryLoss.Options?

        enum CodingKeys: String, CodingKey { case options }

        init(from decoder: any Decoder) throws {
            options = try? decoder.container(keyedBy: CodingKeys.self).decode(
                AuxiliaryLoss.Options.self, forKey: .options)
        }
    }

    private static let auxiliaryNotes =
        (try? JSONDecoder().decode([AuxiliaryNote].self, from: Data(text.utf8))) ?? []

    /// One case: its tensors by name, and memory around the layer.
    private struct Case {
        let note: Note
        let number: Int
        let arena = Arena()
        let layout: ParameterLayout
        let parameters: DenseVector
        let gradient: DenseVector

        init(_ number: Int, _ layout: ParameterLayout) throws {
            note = notes[number]
            self.number = number
            self.layout = layout
            parameters = DenseVector(count: layout.count)
            gradient = DenseVector(count: layout.count)
            for entry in layout.entries {
                let shape = try #require(note.shapes[entry.name], "\(entry.name)")
                #expect(shape == [entry.slot.rows, entry.slot.columns], "\(entry.name)")
                let given = try values(entry.name)
                parameters[entry.slot].base.update(from: given, count: entry.slot.count)
            }
        }

        var pass: Pass { Pass(training: 1, parameters, into: gradient, key: 1, arena) }

        func values(_ name: String) throws -> [Float] {
            let digits = String(number)
            let prefix = String(repeating: "0", count: 3 - digits.count) + digits
            return Array(try #require(file).column("\(prefix).\(name)", as: Float.self))
        }

        func matrix(_ name: String) throws -> Matrix {
            let shape = try #require(note.shapes[name])
            let x = arena.matrix(rows: shape[0], columns: shape[1])
            x.base.update(from: try values(name), count: x.count)
            return x
        }

        func expect(_ found: Matrix, _ name: String) throws {
            compare((0..<found.count).map { found[$0 / found.columns, $0 % found.columns] }, try values(name), name)
        }

        /// All gradients of the layer's parameters.
        func expectGradients() throws {
            for entry in layout.entries {
                let found = UnsafeBufferPointer(start: gradient[entry.slot].base, count: entry.slot.count)
                compare(Array(found), try values("grad." + entry.name), entry.name)
            }
        }

        private func compare(_ found: [Float], _ wanted: [Float], _ name: String) {
            let scale = max(1, wanted.map(\.magnitude).max() ?? 0)
            let worst = zip(found, wanted).map { ($0 - $1).magnitude }.map { $0.isNaN ? .infinity : $0 }.max() ?? 0
            #expect(
                found.count == wanted.count && worst <= 1e-5 * scale,
                "\(note.kind) \(number): \(name) is off by \(worst)")
        }
    }

    static func numbers(_ kinds: String...) -> [Int] { notes.indices.filter { kinds.contains(notes[$0].kind) } }

    private func offsets(_ lengths: [Int32]) -> UnsafePointer<Int32> { Sequence(lengths).offsets }

    @Test("there are 20 cases of each layer")
    func count() {
        #expect(
            Dictionary(grouping: Self.notes, by: \.kind).mapValues(\.count).values.sorted()
                == [Int](repeating: 20, count: 10))
    }

    @Test("GRU, AIGRU, AGRU, AUGRU (both forms)", arguments: numbers("gru", "aigru", "agru", "augru"))
    func recurrent(number: Int) throws {
        let note = Self.notes[number]
        var options = GRU.Options()
        options.reset = try #require(note.options.reset)
        options.update = try #require(note.options.update)
        options.hiddenBias = note.options.hiddenBias == true
        guard case .width(let width) = note.options.hidden else { preconditionFailure("one width") }
        let input = try #require(note.shapes["x"])[1]
        var layout = ParameterLayout()
        let layer: GRU
        switch note.kind {
        case "gru": layer = GRU("layer", input: input, width: width, options, in: &layout)
        case "aigru": layer = GRU("layer", input: input, width: width, scalesInput: true, options, in: &layout)
        case "agru": layer = GRU("layer", input: input, width: width, mixing: .attention, options, in: &layout)
        default:
            let mixing = note.options.augru == "union" ? GRUMixing.union : .product
            layer = GRU("layer", input: input, width: width, mixing: mixing, options, in: &layout)
        }
        let test = try Case(number, layout)
        let x = try test.matrix("x")
        let a = note.kind == "gru" ? nil : try test.matrix("a")
        let offsets = offsets(note.lengths)
        let time = TimeMajor(offsets: offsets, count: note.lengths.count, test.arena)
        let identity = (0..<Int32(x.rows)).map { $0 }
        let dStates = test.arena.matrix(rows: time.rows, columns: width)
        let dy = try test.matrix("dy")
        for position in 0..<time.rows {
            dStates[Int(time.rowOf[position])].update(from: dy[position], count: width)
        }
        let (read, attention) = (test.pass.variable(x), a.map { test.pass.variable($0) })
        var y = x
        layer.run(read, rowOf: identity, attention: attention, time, test.pass) {
            y = $0
            return dStates
        }
        try test.expect(rows(of: y, at: time.rowOf, test.arena), "y")
        try test.expect(try #require(read.gradient), "grad.x")
        if let da = attention?.gradient { try test.expect(da, "grad.a") }
        try test.expectGradients()
    }

    private func rows(of x: Matrix, at index: UnsafePointer<Int32>, _ arena: Arena) -> Matrix {
        let y = arena.matrix(rows: x.rows, columns: x.columns)
        for row in 0..<x.rows { y[row].update(from: x[Int(index[row])], count: x.columns) }
        return y
    }

    @Test("auxiliary loss, every normalization, head and input norm", arguments: numbers("auxiliary"))
    func auxiliary(number: Int) throws {
        let note = Self.notes[number]
        let options = try #require(Self.auxiliaryNotes[number].options)
        let (states, behaviors) = (try #require(note.shapes["h"])[1], try #require(note.shapes["e"])[1])
        var layout = ParameterLayout()
        let layer = AuxiliaryLoss("auxiliary", states: states, behaviors: behaviors, options, in: &layout)
        let test = try Case(number, layout)
        let (h, e) = (test.pass.variable(try test.matrix("h")), test.pass.variable(try test.matrix("e")))
        let offsets = offsets(note.lengths)
        let identity = stable((0..<Int32(h.value.rows)).map { $0 })
        let (behavior, negatives) = (try #require(note.behavior), try #require(note.negatives))
        let counts = try #require(note.counts)
        let pairs = AuxiliaryLoss.Pairs(
            offsets: offsets, histories: note.lengths.count, stateOf: identity, behavior: stable(behavior),
            negative: stable(negatives), samplesOf: stable(counts))
        let loss = layer.train(h, e, pairs, factor: options.weight * Float(counts.reduce(0, +)), test.pass)
        let wanted = Double(try test.values("y")[0])
        #expect(abs(loss - wanted) <= 1e-5 * max(1, abs(wanted)))
        try test.expect(try #require(h.gradient), "grad.h")
        try test.expect(try #require(e.gradient), "grad.e")
        try test.expectGradients()
    }

    @Test("LSTM with and without peepholes", arguments: numbers("lstm"))
    func lstm(number: Int) throws {
        let note = Self.notes[number]
        guard case .width(let width) = note.options.hidden else { preconditionFailure("one width") }
        let input = try #require(note.shapes["x"])[1]
        var layout = ParameterLayout()
        let layer = LSTM(
            "layer", input: input, width: width, peephole: note.options.peephole == true, forgetBias: 1, otherBias: 0,
            in: &layout)
        let test = try Case(number, layout)
        let offsets = offsets(note.lengths)
        let time = TimeMajor(offsets: offsets, count: note.lengths.count, test.arena)
        let x = rows(of: try test.matrix("x"), at: time.positionOf, test.arena)
        let dy = rows(of: try test.matrix("dy"), at: time.positionOf, test.arena)
        var y = x
        let dx = layer.run(x, time, test.pass) {
            y = $0
            return dy
        }
        try test.expect(rows(of: y, at: time.rowOf, test.arena), "y")
        try test.expect(rows(of: try #require(dx), at: time.rowOf, test.arena), "grad.x")
        try test.expectGradients()
    }

    @Test("Bi-LSTM: layers, merges, peepholes", arguments: numbers("bilstm"))
    func bidirectional(number: Int) throws {
        let note = Self.notes[number]
        var options = BidirectionalLSTM.Options()
        options.layers = try #require(note.options.layers)
        options.merge = try #require(note.options.merge)
        options.peephole = note.options.peephole == true
        var layout = ParameterLayout()
        let width = try #require(note.shapes["x"])[1]
        let layer = BidirectionalLSTM("layer", width: width, options, in: &layout)
        let test = try Case(number, layout)
        let offsets = offsets(note.lengths)
        let (x, dy) = (try test.matrix("x"), try test.matrix("dy"))
        var y = x
        let dx = layer.run(x, offsets: offsets, count: note.lengths.count, test.pass) {
            y = $0
            return dy
        }
        try test.expect(y, "y")
        try test.expect(try #require(dx), "grad.x")
        try test.expectGradients()
    }

    @Test("layer norm", arguments: numbers("layernorm"))
    func norm(number: Int) throws {
        let note = Self.notes[number]
        var layout = ParameterLayout()
        let width = try #require(note.shapes["x"])[1]
        let layer = LayerNorm("layer", width: width, epsilon: try #require(note.options.epsilon), in: &layout)
        let test = try Case(number, layout)
        let (x, dy) = (try test.matrix("x"), try test.matrix("dy"))
        var y = x
        let dx = layer.run(x, test.pass) {
            y = $0
            return dy
        }
        try test.expect(y, "y")
        try test.expect(try #require(dx), "grad.x")
        try test.expectGradients()
    }

    @Test("multi-head self-attention: heads, slices, scales, blinding, WO", arguments: numbers("attention"))
    func attention(number: Int) throws {
        let note = Self.notes[number]
        var options = Transformer.Options()
        options.heads = try #require(note.options.heads)
        options.projections = try #require(note.options.projections)
        options.scale = try #require(note.options.scale)
        options.blinding = note.options.blinding == true
        options.output = note.options.output == true
        var layout = ParameterLayout()
        let width = try #require(note.shapes["x"])[1]
        let layer = MultiHeadAttention("layer", width: width, options, in: &layout)
        let test = try Case(number, layout)
        let x = try test.matrix("x")
        let offsets = offsets(note.lengths)
        let (read, dy) = (test.pass.variable(x), try test.matrix("dy"))
        var y = x
        layer.run(queries: read, keys: read, offsets: offsets, sessions: note.lengths.count, test.pass) {
            y = $0
            return dy
        }
        try test.expect(y, "y")
        try test.expect(try #require(read.gradient), "grad.x")
        try test.expectGradients()
    }

    @Test("bias encoding", arguments: numbers("bias_encoding"))
    func encoding(number: Int) throws {
        let note = Self.notes[number]
        var layout = ParameterLayout()
        let width = try #require(note.shapes["x"])[1]
        let layer = PositionEncoding(
            "layer", kind: .bias, width: width, sessions: try #require(note.options.count),
            length: try #require(note.options.length), in: &layout)
        let test = try Case(number, layout)
        let sessionsOf = try #require(note.sessionsOf)
        let (offsets, ofHistory) = (offsets(note.lengths), offsets(sessionsOf))
        let sessions = Sessions(
            histories: sessionsOf.count, count: note.lengths.count, offsets: offsets, ofHistory: ofHistory)
        let y = layer.forward(try test.matrix("x"), sessions, test.pass)
        try test.expect(y.queries, "y")
        let dy = try test.matrix("dy")
        layer.backward(queries: dy, keys: dy, sessions, test.pass)
        try test.expect(dy, "grad.x")
        try test.expectGradients()
    }
}
