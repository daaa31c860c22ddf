import Foundation
import Telemetry
import Tensors
import Testing

@testable import Datasets

@Suite struct SplitTests {
    /// 30 users with 3 to 12 events among 40 items; some events share their moment.
    private func log() -> String {
        var text = "user,item,time\n"
        for user in 0..<30 {
            for event in 0..<(3 + user % 10) {
                text += "u\(user),i\((user * 7 + event * 11) % 40),\(event / (1 + user % 2))\n"
            }
        }
        return text
    }

    private func prepare(_ change: (inout PrepareOptions) -> Void = { _ in }) throws -> (Workshop, Dataset) {
        let shop = try Workshop()
        try shop.write("log.csv", log())
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            $0.schema.time = "time"
            change(&$0)
        }
        return (shop, dataset)
    }

    @Test("the last event tests, the one before validates, the rest trains; histories lie strictly before their target")
    func splits() throws {
        let (shop, dataset) = try prepare()
        defer { _ = shop }
        for user in 0..<30 {
            let count = 3 + user % 10
            let items = (0..<count).map { id("i\((user * 7 + $0 * 11) % 40)") }
            let times = (0..<count).map { $0 / (1 + user % 2) }
            for (name, targets) in [
                ("train", 1..<count - 2), ("validation", count - 2..<count - 1), ("test", count - 1..<count),
            ] {
                let found = try Workshop.samples(dataset, name).filter { $0.user == id("u\(user)") && $0.label == 1 }
                let expected = targets.compactMap { target -> Workshop.Sample? in
                    let history = (0..<target).filter { times[$0] < times[target] }.map { items[$0] }
                    guard !history.isEmpty else { return nil }
                    return .init(user: id("u\(user)"), item: items[target], category: 1, label: 1, history: history)
                }
                #expect(found == expected, "\(name) of user \(user)")
            }
        }
    }

    @Test("trap 36: no id is 0, an item without a category has the unknown id 1; negatives were never touched")
    func negatives() throws {
        let (shop, dataset) = try prepare { $0.negatives = 3 }
        defer { _ = shop }
        var negatives = 0
        for name in ["train", "validation", "test"] {
            for sample in try Workshop.samples(dataset, name) {
                #expect(sample.item > 1 && sample.category == 1 && sample.user > 1)
                guard sample.label == 0 else { continue }
                negatives += 1
                let user = (0..<30).first { id("u\($0)") == sample.user } ?? 0
                let touched = (0..<(3 + user % 10)).map { id("i\((user * 7 + $0 * 11) % 40)") }
                #expect(!touched.contains(sample.item))
            }
        }
        let positives = dataset.info.splits.values.reduce(0) { $0 + $1.positives }
        #expect(negatives == 3 * positives)
    }

    @Test("by popularity an item is drawn as often as it was touched", arguments: [true, false])
    func popularity(isPopular: Bool) throws {
        let shop = try Workshop()
        // 20 users who touch the hit and one item each; 20 who touch three rare items of 60.
        var text = "user,item,time\n"
        for user in 0..<20 {
            for event in 0..<9 { text += "fan\(user),hit,\(event)\nfan\(user),f\(user),\(event)\n" }
            for event in 0..<4 { text += "u\(user),r\((user * 3 + event) % 60),\(event)\n" }
        }
        try shop.write("log.csv", text)
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            $0.schema.time = "time"
            $0.negatives = 10
            $0.sampling = isPopular ? .popularity : .uniform
        }
        let others = Set((0..<20).map { id("u\($0)") })
        let drawn = try ["train", "validation", "test"].flatMap { try Workshop.samples(dataset, $0) }
            .filter { $0.label == 0 && others.contains($0.user) }
        let share = Double(drawn.count { $0.item == id("hit") }) / Double(drawn.count)
        // 180 of 436 events that a user has not touched; 1 of some 77 items.
        #expect(drawn.count >= 300 && (isPopular ? 0.35...0.5 : 0...0.05).contains(share), "\(share) of \(drawn.count)")
    }

    @Test("the same seed gives the same bytes, another seed other negatives")
    func seeds() throws {
        func bytes(_ seed: UInt64) throws -> Data {
            let (shop, dataset) = try prepare { $0.seed = seed }
            defer { _ = shop }
            return try Data(contentsOf: URL(filePath: dataset.directory + "/train-00000.safetensors"))
        }
        #expect(try bytes(3) == (try bytes(3)))
        #expect(try bytes(3) != (try bytes(4)))
    }

    @Test("trap 30: an id counts once for a sample, however often it occurs in its history")
    func counts() throws {
        let shop = try Workshop()
        try shop.write("log.csv", "user,item\n" + ["x", "x", "x", "y", "z", "w"].map { "u,\($0)\n" }.joined())
        let dataset = try shop.prepare(.delimited) { $0.schema.separator = "comma" }
        let samples = try Workshop.samples(dataset, "train")
        let (ids, counts) = try dataset.counts(table: "item")
        for (number, found) in zip(ids, counts) {
            #expect(Int(found) == samples.count { $0.item == number || $0.history.contains(number) })
        }
        #expect(ids.contains(id("x")) && ids == ids.sorted())
    }

    @Test("trap 37: the newest behaviors are kept, in training and in evaluation")
    func truncation() throws {
        let (shop, dataset) = try prepare()
        defer { _ = shop }
        for name in ["train", "test"] {
            for (long, short) in zip(try Workshop.samples(dataset, name), try Workshop.samples(dataset, name, limit: 2))
            {
                #expect(short.history == Array(long.history.suffix(2)))
            }
        }
    }

    @Test("the rating task: the label is whether the rating reaches the threshold, and nothing is sampled")
    func ratings() throws {
        let shop = try Workshop()
        try shop.write("log.csv", "user,item,stars\n" + (0..<8).map { "u,i\($0),\($0 % 5 + 1)\n" }.joined())
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            $0.schema.rating = "stars"
            $0.task = .rating
        }
        #expect(try Workshop.samples(dataset, "train").map(\.label) == [0, 0, 1, 1, 0])
        #expect(try Workshop.samples(dataset, "test").map(\.label) == [0])
    }

    @Test("the synthetic world: labels follow the stored probabilities, whose AUC is the Bayes AUC")
    func world() throws {
        let shop = try Workshop()
        let dataset = try shop.prepare(.synthetic) {
            $0.inputs = []
            ($0.world.users, $0.world.impressions) = (300, 30)
        }
        for (name, info) in dataset.info.splits {
            let file = try SafetensorsFile(path: dataset.directory + "/\(name)-00000.safetensors")
            let probabilities = Array(try file.column("probability", as: Float.self))
            let labels = Array(try file.column("label", as: Float.self))
            let mean = probabilities.reduce(0, +) / Float(probabilities.count)
            let share = labels.reduce(0, +) / Float(labels.count)
            #expect(abs(mean - share) < 4 * (0.25 / Float(labels.count)).squareRoot())
            let auc = try #require(areaUnderROC(scores: probabilities, labels: labels))
            #expect(abs(auc - (info.bayesAUC ?? 0)) < 1e-9 && auc > 0.7)
        }
    }
}
