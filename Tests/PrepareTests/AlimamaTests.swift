import Foundation
import Tensors
import Testing

@testable import Datasets

/// An impression of a split with its history, ids as they are stored.
private struct Impression: Equatable {
    struct Behavior: Equatable {
        var cate, brand, btag: UInt64
        var time: Int64
    }

    struct Candidate: Equatable {
        var cate, brand, adgroup, campaign, customer: UInt64
        var label, price: Float
    }

    var user: UInt64
    var time: Int64
    var pid: UInt64
    /// Segment, group, gender, age, consumption, shopping, occupation, city.
    var profile: [UInt64]
    var history: [Behavior]
    var candidates: [Candidate]

    static func all(_ dataset: Dataset, _ split: String) throws -> [Impression] {
        let file = try SafetensorsFile(path: dataset.directory + "/\(split)-00000.safetensors")
        func ids(_ name: String) throws -> [UInt64] { Array(try file.column(name, as: UInt64.self)) }
        func numbers(_ name: String) throws -> [Int] { try file.column(name, as: Int64.self).map { Int($0) } }
        func floats(_ name: String) throws -> [Float] { Array(try file.column(name, as: Float.self)) }
        let key = try ids("key")
        if key.isEmpty { return [] }
        let behavior = try ["cate", "brand", "btag"].map { try ids("behavior.\($0)") }
        let item = try ["cate", "brand", "adgroup", "campaign", "customer"].map { try ids("item.\($0)") }
        let profile = try [
            "segment", "group", "gender", "age", "consumption", "shopping", "occupation", "city",
        ].map { try ids("user.\($0)") }
        let (begin, end, offsets) = (
            try numbers("history.begin"), try numbers("history.end"), try numbers("candidates.offsets")
        )
        let times = file.contains("behavior.time") ? try numbers("behavior.time") : []
        let (label, price) = (try floats("label"), try floats("numeric"))
        let (time, pid) = (try numbers("time"), try ids("context.pid"))
        #expect(try ids("user.user") == key)
        return key.indices.map { group in
            Impression(
                user: key[group], time: Int64(time[group]), pid: pid[group], profile: profile.map { $0[group] },
                history: (begin[group]..<end[group]).map {
                    .init(cate: behavior[0][$0], brand: behavior[1][$0], btag: behavior[2][$0], time: Int64(times[$0]))
                },
                candidates: (offsets[group]..<offsets[group + 1]).map {
                    .init(
                        cate: item[0][$0], brand: item[1][$0], adgroup: item[2][$0], campaign: item[3][$0],
                        customer: item[4][$0], label: label[$0], price: price[$0])
                })
        }
    }
}

/// The four files, each line a list of fields in the usual order.
private struct Raw {
    static let headers = [
        "raw_sample.csv": "user,time_stamp,adgroup_id,pid,nonclk,clk",
        "ad_feature.csv": "adgroup_id,cate_id,campaign_id,customer,brand,price",
        "user_profile.csv": "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,shopping_level,"
            + "occupation,new_user_class_level ",
        "behavior_log.csv": "user,time_stamp,btag,cate,brand",
    ]
    static let day = 86_400
    static let test = 1_494_633_600

    /// User 7: impressions a day before validation, in validation, at the first second of test; user 8: one in training.
    var files = [
        "raw_sample.csv": [
            "7,\(test),12,p1,1,0", "8,\(test - 3 * day),11,p1,1,0", "7,\(test - 2 * day),11,p1,1,0",
            "7,\(test - 2 * day),12,p2,1,0", "7,\(test - 2 * day),12,p1,0,1", "7,\(test - 1),12,p1,0,1",
            "7,\(test - day),11,p1,1,0", "8,\(test - 3 * day),99,p1,0,1",
        ],
        "ad_feature.csv": ["11,c1,g1,u1,b1,9.5", "12,c2,g2,u2,NULL,-1", "13,c3,g3,u3,b3,NULL"],
        "user_profile.csv": ["7,0,5,2,5,,3,0,4"],
        "behavior_log.csv": [
            "7,\(test - 2 * day),pv,c9,b9", "7,\(test - 2 * day - 1),buy,c1,b1", "9,5,pv,c1,b1",
            "7,\(test - 2 * day - 10),pv,c2,NULL", "7,\(test - 2 * day - 1),pv,c2,b2", "8,\(test),pv,c1,b1",
            "7,-100,cart,c3,b3", "7,\(test - day),pv,c5,b5", "7,\(test - 1),fav,c4,b4",
        ],
    ]

    func write(to shop: Workshop, headers: Bool = true, ending: String = "") throws {
        for (name, lines) in files {
            let header = headers ? [Raw.headers[name] ?? ""] : []
            try shop.write(name + ending, (header + lines).joined(separator: "\r\n") + "\n")
        }
    }
}

@Suite struct AlimamaTests {
    private static let (day, test) = (Raw.day, Raw.test)

    private func prepare(
        _ raw: Raw = Raw(), headers: Bool = true, ending: String = "",
        _ change: (inout PrepareOptions) -> Void = { _ in }
    ) throws -> [String: [Impression]] {
        let shop = try Workshop()
        try raw.write(to: shop, headers: headers, ending: ending)
        let dataset = try shop.prepare(.alimama, change)
        return try Dictionary(
            uniqueKeysWithValues: ["train", "validation", "test"].map { ($0, try Impression.all(dataset, $0)) })
    }

    private func message(_ raw: Raw = Raw(), _ change: (inout PrepareOptions) -> Void = { _ in }) -> String {
        do {
            _ = try prepare(raw, change)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private static func behavior(_ cate: String, _ brand: String, _ btag: String, _ time: Int) -> Impression.Behavior {
        .init(cate: id(cate), brand: brand == "NULL" ? 1 : id(brand), btag: id(btag), time: Int64(time))
    }

    /// What user 7 did, in the order of time; what ties stands in the order of the file.
    private static let done = [
        behavior("c3", "b3", "cart", -100), behavior("c2", "NULL", "pv", test - 2 * day - 10),
        behavior("c1", "b1", "buy", test - 2 * day - 1), behavior("c2", "b2", "pv", test - 2 * day - 1),
        behavior("c9", "b9", "pv", test - 2 * day), behavior("c5", "b5", "pv", test - day),
        behavior("c4", "b4", "fav", test - 1),
    ]

    @Test(
        "splits by time, impressions of one user, time and pid, histories strictly before; with and without headers",
        arguments: [(true, ""), (false, ""), (true, ".gz"), (false, ".zst")])
    func whole(headers: Bool, ending: String) throws {
        let found = try prepare(headers: headers, ending: ending)
        let first = Impression.Candidate(
            cate: id("c1"), brand: id("b1"), adgroup: id("11"), campaign: id("g1"), customer: id("u1"), label: 0,
            price: Float(log1p(9.5)))
        var second = Impression.Candidate(
            cate: id("c2"), brand: 1, adgroup: id("12"), campaign: id("g2"), customer: id("u2"), label: 1, price: 0)
        let unknown = Impression.Candidate(
            cate: 1, brand: 1, adgroup: id("99"), campaign: 1, customer: 1, label: 1, price: 0)
        let profile = [id("0"), id("5"), id("2"), id("5"), 1, id("3"), id("0"), id("4")]
        func seven(
            _ time: Int, _ pid: String, _ history: Int, _ candidates: [Impression.Candidate]
        ) -> Impression {
            Impression(
                user: id("7"), time: Int64(time), pid: id(pid), profile: profile,
                history: Array(Self.done.prefix(history)), candidates: candidates)
        }
        let clicked = second
        second.label = 0
        let (day, test) = (Self.day, Self.test)
        #expect(
            found["train"] == [
                seven(test - 2 * day, "p1", 4, [first, clicked]), seven(test - 2 * day, "p2", 4, [second]),
                Impression(
                    user: id("8"), time: Int64(test - 3 * day), pid: id("p1"),
                    profile: [UInt64](repeating: 1, count: 8), history: [], candidates: [first, unknown]),
            ])
        #expect(found["validation"] == [seven(test - day, "p1", 5, [first]), seven(test - 1, "p1", 6, [clicked])])
        #expect(found["test"] == [seven(test, "p1", 7, [second])])
    }

    @Test("the report counts what is unknown; the dataset tells how it was made, and shares its compared tables")
    func report() throws {
        let shop = try Workshop()
        try Raw().write(to: shop)
        var options = PrepareOptions()
        (options.format, options.inputs) = (.alimama, [shop.directory])
        options.output = shop.directory + "/set"
        var phases: Set<String> = []
        let report = try options.prepare { phase, share in
            phases.insert(phase)
            #expect((0...1).contains(share))
        }
        #expect(report.samples == ["train": 5, "validation": 2, "test": 1])
        #expect((report.users, report.items, report.categories) == (2, 3, 4))
        #expect((report.unknownAds, report.usersWithoutProfile) == (1, 1))
        #expect((report.lines, report.quarantined) == (21, 0))
        #expect(phases.isSuperset(of: Raw.headers.keys.map { "reading \($0)" }) && phases.contains("writing"))
        let info = try Dataset(directory: options.output).info
        #expect(info.schema.comparedCount == 2 && info.schema.numeric == ["price"])
        #expect(info.prepared["test_from"] == "1494633600" && info.prepared["behaviors"] == "pv cart fav buy")
    }

    @Test("columns are found by the names of the header, in any order and with others between")
    func order() throws {
        var raw = Raw()
        let shop = try Workshop()
        for (name, lines) in raw.files {
            func turned(_ line: String) -> String {
                (line.split(separator: ",", omittingEmptySubsequences: false).reversed() + ["x"]).joined(separator: ",")
            }
            let header = turned(Raw.headers[name] ?? "").replacingOccurrences(of: ",", with: " , ")
            raw.files[name] = [header] + lines.map(turned)
        }
        try raw.write(to: shop, headers: false)
        let dataset = try shop.prepare(.alimama)
        for (name, impressions) in try prepare() { #expect(try Impression.all(dataset, name) == impressions) }
        raw.files["ad_feature.csv"] = ["adgroup_id,cate,price", "1,2,3"]
        try raw.write(to: shop, headers: false)
        #expect {
            try shop.prepare(.alimama)
        } throws: {
            "\($0)".contains("ad_feature.csv: has no column 'cate_id'; its header names adgroup_id, cate, price")
        }
    }

    @Test("only the kinds, times and number of behaviors that are asked for")
    func behaviors() throws {
        let last = { (found: [String: [Impression]]) in found["test"]?.first?.history }
        #expect(try last(prepare { $0.alimama.behaviors = ["pv"] }) == Self.done.filter { $0.btag == id("pv") })
        #expect(try last(prepare { $0.alimama.behaviorsFrom = 1 }) == Array(Self.done.dropFirst()))
        let short = try prepare { $0.alimama.storedHistory = 2 }
        for (name, impressions) in try prepare() {
            #expect(short[name]?.map(\.history) == impressions.map { $0.history.suffix(2) })
            #expect(short[name]?.map(\.candidates) == impressions.map(\.candidates))
        }
    }

    @Test("the splits follow --test-from and --validation-hours; without a sample to train on there is no dataset")
    func times() throws {
        let found = try prepare {
            ($0.alimama.testFrom, $0.alimama.validationHours) = (Int64(Self.test - Self.day), 0)
        }
        #expect(["train", "validation", "test"].map { found[$0]?.count } == [3, 0, 3])
        let text = message { $0.alimama.validationHours = 72 }
        #expect(text.contains("holds no samples to train on: the first is at \(Self.test - 3 * Self.day)"), "\(text)")
    }

    @Test("a share of the users is a function of the seed, and a smaller share is part of a larger one")
    func share() throws {
        var raw = Raw()
        raw.files["raw_sample.csv"] = (0..<400).map { "\($0),100,11,p1,1,0" }
        func users(_ share: Double, seed: UInt64 = 7) throws -> [UInt64] {
            try prepare(raw) { ($0.alimama.usersShare, $0.seed) = (share, seed) }["train", default: []].map(\.user)
        }
        let quarter = try users(0.25)
        #expect((70...130).contains(quarter.count))
        #expect(try users(0.25) == quarter)
        #expect(try Set(users(0.25, seed: 8)) != Set(quarter))
        #expect(try Set(users(0.5)).isSuperset(of: quarter))
        #expect(try users(1).count == 400)
    }

    @Test("many users over many times: every history is what a plain search finds")
    func many() throws {
        var raw = Raw()
        func draw(_ number: Int, _ below: Int) -> Int { Int(id("\(number)") % UInt64(below)) }
        let log = (0..<4000).map { (user: draw($0, 300), time: draw($0 + 9999, 500), cate: "c\($0)") }
        raw.files["behavior_log.csv"] = log.map { "\($0.user),\($0.time),pv,\($0.cate),b" }
        raw.files["raw_sample.csv"] = (0..<1500).map { "\(draw($0 + 77, 300)),\(draw($0 + 5, 500)),11,p\($0 % 3),1,0" }
        let found = try prepare(raw) { ($0.alimama.testFrom, $0.alimama.validationHours) = (4000, 1) }
        #expect(found.values.joined().reduce(0) { $0 + $1.candidates.count } == 1500)
        var ties = 0
        for (name, impressions) in found {
            for shown in impressions {
                #expect((shown.time >= 400) == (name != "train"))
                ties += log.count { id("\($0.user)") == shown.user && $0.time == shown.time }
                let before = log.enumerated().filter { id("\($1.user)") == shown.user && $1.time < shown.time }
                let sorted = before.sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
                #expect(shown.history.map(\.cate) == sorted.map { id($0.element.cate) })
            }
        }
        #expect(ties > 10)
    }

    @Test("malformed lines are set aside with their reasons; too many stop the run")
    func malformed() throws {
        var raw = Raw()
        raw.files["raw_sample.csv"]? += ["7,late,11,p1,1,0", "7,100,11,p1,0,2", ",100,11,p1,1,0", "7,100"]
        raw.files["ad_feature.csv"]? += ["14,c1,g1,u1,b1,dear"]
        raw.files["behavior_log.csv"]? += ["7,100,like,c1,b1", "7,1e12,pv,c1,b1", "NULL,100,pv,c1,b1"]
        let shop = try Workshop()
        try raw.write(to: shop)
        let dataset = try shop.prepare(.alimama)
        for (name, impressions) in try prepare() { #expect(try Impression.all(dataset, name) == impressions) }
        #expect(dataset.info.quarantined == 8)
        let text = try String(contentsOfFile: dataset.directory + "/quarantine.txt", encoding: .utf8)
        for reason in [
            "raw_sample.csv:10: time_stamp 'late' is no number of seconds", "raw_sample.csv:11: clk '2' is neither",
            "raw_sample.csv:12: the user or the adgroup is empty", "raw_sample.csv:13: 2 fields, expected at least 6",
            "ad_feature.csv:5: price 'dear' is no number", "behavior_log.csv:11: btag 'like' is none of pv, cart,",
            "behavior_log.csv:12: time_stamp '1e12'", "behavior_log.csv:13: the user is empty",
        ] { #expect(text.contains(reason), "\(reason) in \(text)") }
        let stopped = message(raw) { $0.badLines = 0.2 }
        #expect(stopped.contains("raw_sample.csv:10:") || stopped.contains("ad_feature.csv:5:"), "\(stopped)")
    }

    @Test("missing files are named", arguments: Raw.headers.keys.sorted())
    func missing(name: String) throws {
        var raw = Raw()
        raw.files[name] = nil
        #expect(message(raw).contains("holds no \(name)"))
    }

    @Test("options that do not fit, or make no sense, are named")
    func options() throws {
        let raw = Raw()
        #expect(message(raw) { $0.alimama.behaviors = ["pv", "like"] }.contains("--behaviors: names 'like'"))
        #expect(message(raw) { $0.alimama.usersShare = 0 }.contains("--users-share: is 0.0"))
        #expect(message(raw) { $0.alimama.testFrom = 1 << 40 }.contains("--test-from"))
        #expect(message(raw) { $0.alimama.validationHours = -1 }.contains("--validation-hours: is -1"))
        #expect(message(raw) { $0.alimama.storedHistory = -1 }.contains("--stored-history: is -1"))
        #expect(message(raw) { $0.task = .rating }.contains("--task: does not fit alimama"))
        #expect(message(raw) { $0.negatives = 2 }.contains("--negatives: does not fit alimama"))
        let other = message(raw) { ($0.format, $0.alimama.usersShare) = (.taobao, 0.5) }
        #expect(other.contains("--users-share: fits alimama only, not taobao"))
    }
}
