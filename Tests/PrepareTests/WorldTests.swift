import Checkpoints
import Foundation
import Telemetry
import Tensors
import Testing

@testable import Datasets

/// A split of a world, as its file holds it, with categories by number.
private struct WorldSplit {
    struct Visit {
        /// Categories of the history, oldest first, by session.
        let sessions: [[Int]]
        /// Seconds between a behavior and the next; the last one is to the impression.
        let gaps: [Int64]
        let candidates: Range<Int>
        /// Every category of the history, oldest first.
        var history: [Int] { sessions.flatMap { $0 } }
    }

    let visits: [Visit]
    let categories: [Int]
    let probabilities: [Float]
    let labels: [Float]

    init(_ dataset: Dataset, _ name: String) throws {
        let file = try SafetensorsFile(path: "\(dataset.directory)/\(name)-00000.safetensors")
        func ids(_ name: String) throws -> [UInt64] { Array(try file.column(name, as: UInt64.self)) }
        func whole(_ name: String) throws -> [Int64] { Array(try file.column(name, as: Int64.self)) }
        let numbers = Dictionary(uniqueKeysWithValues: (0..<100).map { (worldId(2, $0), $0) })
        func number(_ id: UInt64) -> Int { numbers[id] ?? -1 }
        let past = try ids("behavior.category").map(number)
        let times = try whole("behavior.time")
        let (begins, ends, shown) = (try whole("history.begin"), try whole("history.end"), try whole("time"))
        let offsets = try whole("candidates.offsets")
        visits = shown.indices.map { visit in
            let places = Int(begins[visit])..<Int(ends[visit])
            let gaps = places.map { ($0 + 1 < places.upperBound ? times[$0 + 1] : shown[visit]) - times[$0] }
            var sessions: [[Int]] = [[]]
            for (place, gap) in zip(places, gaps) {
                sessions[sessions.count - 1].append(past[place])
                if gap > 1800 { sessions.append([]) }
            }
            return Visit(
                sessions: sessions, gaps: gaps, candidates: Int(offsets[visit])..<Int(offsets[visit + 1]))
        }
        categories = try ids("item.category").map(number)
        probabilities = Array(try file.column("probability", as: Float.self))
        labels = Array(try file.column("label", as: Float.self))
    }
}

@Suite struct WorldTests {
    private static let new: [WorldOptions.Kind] = [.order, .drift, .sessions]

    private func prepare(_ kind: WorldOptions.Kind, seed: UInt64 = 7, users: Int = 60) throws -> (Workshop, Dataset) {
        let shop = try Workshop()
        let dataset = try shop.prepare(.synthetic) {
            $0.inputs = []
            $0.seed = seed
            $0.world = WorldOptions(kind)
            $0.world.users = users
        }
        return (shop, dataset)
    }

    @Test("the same seed gives the same bytes, another seed another world", arguments: WorldOptions.Kind.allCases)
    func seeds(kind: WorldOptions.Kind) throws {
        func bytes(_ seed: UInt64) throws -> [Data] {
            let (shop, dataset) = try prepare(kind, seed: seed, users: 10)
            defer { _ = shop }
            return try FileManager.default.contentsOfDirectory(atPath: dataset.directory).sorted().map {
                try Data(contentsOf: URL(filePath: dataset.directory + "/" + $0))
            }
        }
        let first = try bytes(3)
        #expect(first.count == 6)
        #expect(first == (try bytes(3)))
        #expect(first != (try bytes(4)))
    }

    @Test("the world of interests is what it always was")
    func unchanged() throws {
        let (shop, dataset) = try prepare(.interests, users: 4)
        defer { _ = shop }
        #expect(dataset.info.prepared["world"] == nil)
        for (name, expected) in [
            ("train", "860854ee631649a9524952f8d26e7a1c0c6e05afb524eacbeb8e1f45b29518e5"),
            ("validation", "c5c7bde11d6f6ee34a6fd3714ddae5164f731cd72a00fb47a7a565d630cf4d44"),
            ("test", "1fa861c7eadcfac28823c19099fd7fa5a75f90c998069de73a100e05a9a2ffd5"),
        ] {
            let data = try Data(contentsOf: URL(filePath: "\(dataset.directory)/\(name)-00000.safetensors"))
            var hash = SHA256()
            data.withUnsafeBytes { hash.update($0) }
            let digest = hash.finish()
            #expect(digest == expected, "\(name)")
        }
    }

    @Test(
        "labels follow the stored probabilities, whose AUC is the Bayes AUC",
        arguments: WorldOptions.Kind.allCases, ["train", "validation", "test"])
    func calibration(kind: WorldOptions.Kind, name: String) throws {
        let (shop, dataset) = try prepare(kind, users: 200)
        defer { _ = shop }
        let split = try WorldSplit(dataset, name)
        let expected = split.probabilities.reduce(0) { $0 + Double($1) }
        let variance = split.probabilities.reduce(0) { $0 + Double($1 * (1 - $1)) }
        #expect(abs(split.labels.reduce(0) { $0 + Double($1) } - expected) < 3 * variance.squareRoot())
        let auc = try #require(areaUnderROC(scores: split.probabilities, labels: split.labels))
        #expect(abs(auc - (dataset.info.splits[name]?.bayesAUC ?? 0)) < 1e-9)
        #expect(auc > (kind == .order ? 0.95 : 0.75))
    }

    @Test(
        "sessions: at most 5 of at most 10, hours apart; behaviors 10 to 120 s apart; all before the impression",
        arguments: new)
    func times(kind: WorldOptions.Kind) throws {
        let (shop, dataset) = try prepare(kind)
        defer { _ = shop }
        for name in ["train", "test"] {
            let split = try WorldSplit(dataset, name)
            for visit in split.visits {
                #expect((1...5).contains(visit.sessions.count))
                #expect(visit.sessions.allSatisfy { (1...10).contains($0.count) })
                #expect(visit.gaps.allSatisfy { (10...120).contains($0) || (7200...43_320).contains($0) })
                #expect(visit.gaps.last.map { $0 <= 120 } == true)
                #expect(visit.history.allSatisfy { $0 >= 0 } && visit.history.count <= 50)
            }
            #expect(split.visits.count { $0.sessions.count >= 3 } > split.visits.count / 2)
        }
    }

    @Test("trap 46: in the world of order a bag of behaviors is independent of the label, and the order decides")
    func order() throws {
        let (shop, dataset) = try prepare(.order, users: 100)
        defer { _ = shop }
        let split = try WorldSplit(dataset, "train")
        var together = 0
        /// By whether a came first: visits, and the sum of what a bag tells of them.
        var visits = [0.0, 0.0]
        var bags = [[Double]](repeating: Array(repeating: 0, count: 24), count: 2)
        for visit in split.visits {
            let asked = split.categories[visit.candidates.lowerBound]
            let (before, after) = (4 + 2 * asked, 5 + 2 * asked)
            let markers = visit.history.filter { (4..<12).contains($0) }
            #expect(markers.sorted() == [before, after] && (0..<4).contains(asked))
            let first = markers.first == before
            #expect(split.probabilities[visit.candidates.lowerBound] == (first ? 0.98 : 0.02))
            if visit.sessions.contains(where: { $0.contains(before) && $0.contains(after) }) { together += 1 }
            visits[first ? 1 : 0] += 1
            for category in visit.history { bags[first ? 1 : 0][category] += 1 }
        }
        let all = visits[0] + visits[1]
        #expect(abs(visits[1] - all / 2) < 3 * (all / 4).squareRoot())
        for category in 4..<24 {
            let count = bags[0][category] + bags[1][category]
            #expect(abs(bags[1][category] / count - 0.5) < 5 * (0.25 / count).squareRoot(), "category \(category)")
        }
        #expect((0.1..<0.3).contains(Double(together) / all))
    }

    @Test("in the world of drift the equation gives the stored probability, and the newest behaviors count most")
    func drift() throws {
        let (shop, dataset) = try prepare(.drift)
        defer { _ = shop }
        let split = try WorldSplit(dataset, "test")
        for visit in split.visits {
            #expect(visit.candidates.count == 4)
            let history = visit.history
            for sample in visit.candidates {
                let category = split.categories[sample]
                let weights = history.indices.map { pow(0.7, Double(history.count - 1 - $0)) }
                let sum = weights.reduce(0, +)
                func share(_ counts: (Int) -> Bool) -> Double {
                    zip(weights, history).reduce(0) { $0 + (counts($1.1) ? $1.0 : 0) } / sum
                }
                let same = share { $0 == category }
                let led = share { $0 / 4 == category / 4 && ($0 + 1 - category) % 4 == 0 }
                let expected = 1 / (1 + exp(3 - 3 * same - 5 * led))
                #expect(abs(Double(split.probabilities[sample]) - expected) < 1e-6)
            }
        }
        #expect(DriftWorld.probability(of: 1, after: [2, 2, 0, 0]) > 0.55)
        #expect(DriftWorld.probability(of: 1, after: [0, 0, 2, 2]) < 0.25)
        #expect((0..<4).map(DriftWorld.next) == [1, 2, 3, 0] && DriftWorld.next(7) == 4)
    }

    @Test("in the world of sessions all categories of a history occur alike, and the theme's age gives the probability")
    func sessions() throws {
        let (shop, dataset) = try prepare(.sessions)
        defer { _ = shop }
        let split = try WorldSplit(dataset, "test")
        for visit in split.visits {
            let count = visit.sessions.count
            let bag = Dictionary(grouping: visit.history) { $0 }
            #expect(bag.count == count + 2 && bag.values.allSatisfy { $0.count == count })
            let themes = visit.sessions.map { session in session.first { here in session.count { $0 == here } > 1 } }
            #expect(Set(themes).count == count)
            for sample in visit.candidates {
                let theme = themes.firstIndex(of: split.categories[sample])
                let logit = -2 + (theme.map { 5 * pow(0.8, Double(count - 1 - $0)) } ?? 0)
                #expect(abs(Double(split.probabilities[sample]) - 1 / (1 + exp(-logit))) < 1e-6)
            }
        }
    }

    @Test("options that make no world are named")
    func options() throws {
        func message(_ kind: WorldOptions.Kind, _ change: (inout WorldOptions) -> Void) -> String {
            var options = WorldOptions(kind)
            change(&options)
            do {
                _ = try makeWorld(options, seed: 1)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message(.drift) { $0.categories = 10 }.contains("rings need a multiple of 4"))
        #expect(message(.sessions) { $0.categories = 7 }.contains("categories"))
        #expect(message(.order) { $0.impressions = 9 }.contains("impressions"))
        for kind in WorldOptions.Kind.allCases { #expect(message(kind) { $0.users = 1 }.isEmpty) }
    }
}
