import Foundation
import Tensors

/// Alimama's public display ads (`Ali_Display_Ad_Click`): `raw_sample.csv`, `ad_feature.csv`, `user_profile.csv` and
/// `behavior_log.csv`.
///
/// Users and ads are numbered; samples and behaviors are records of 16 bytes, so that the log of 723 million lines
/// takes 11.6 GB at most. Behaviors that no history can hold are not kept: those of users without impressions, and
/// those at or after a user's last one.
final class Alimama {
    /// A line of `raw_sample.csv`.
    struct Sample: UserRecord {
        let user: UInt32
        let time: Int32
        let ad: UInt32
        let pid: UInt16
        let isClick: Bool

        var rank: UInt16 { pid }
    }

    /// A line of `behavior_log.csv`; the lowest two bits of `brandAndKind` are the kind.
    struct Behavior: UserRecord {
        let user: UInt32
        let time: Int32
        let cate: UInt32
        let brandAndKind: UInt32

        var rank: UInt16 { 0 }
    }

    /// Ids in the order that they were numbered.
    struct Names {
        private let index = IdIndex()
        private(set) var ids: [UInt64] = []

        var count: Int { ids.count }

        mutating func number(of id: UInt64) -> (number: Int, isNew: Bool) {
            let (number, isNew) = index.number(of: id)
            if isNew { ids.append(id) }
            return (Int(number), isNew)
        }

        func find(_ id: UInt64) -> Int? { index.find(id).map(Int.init) }
    }

    private static let profile = [
        ("segment", "cms_segid"), ("group", "cms_group_id"), ("gender", "final_gender_code"), ("age", "age_level"),
        ("consumption", "pvalue_level"), ("shopping", "shopping_level"), ("occupation", "occupation"),
        ("city", "new_user_class_level"),
    ]
    private static let features = ["cate_id", "brand", "campaign_id", "customer"]

    static let schema = Schema(
        tables: ["user", "adgroup", "campaign", "customer", "cate", "brand", "pid"] + profile.map(\.0) + ["btag"],
        user: (["user"] + profile.map(\.0)).map { .init($0, table: $0) },
        item: ["cate", "brand", "adgroup", "campaign", "customer"].map { .init($0, table: $0) },
        behavior: ["cate", "brand", "btag"].map { .init($0, table: $0) },
        context: [.init("pid", table: "pid")], numeric: ["price"])

    let options: AlimamaOptions
    private let seed: UInt64
    private let kinds: [Bool]
    private(set) var users = Names()
    private(set) var ads = Names()
    private(set) var pids = Names()
    private(set) var cates = Names()
    private(set) var brands = Names()
    /// By ad: cate, brand, campaign, customer; and ln(1 + price).
    private var adFeatures: [UInt64] = []
    private(set) var prices: [Float] = []
    /// By user: the ids of the profile.
    private var profiles: [UInt64] = []
    private var hasProfile: [Bool] = []
    private var newest: [Int32] = []
    private var samples: [Sample] = []
    private var behaviors = UserBuckets<Behavior>(users: 0)
    /// Samples whose ad is not in `ad_feature.csv`.
    private(set) var unknownAds = 0

    /// Reads the four files.
    init(
        _ options: PrepareOptions, _ quarantine: Quarantine, progress: (_ phase: String, _ share: Double) -> Void
    ) throws {
        self.options = options.alimama
        seed = options.seed
        kinds = AlimamaOptions.kinds.map { options.alimama.behaviors.contains($0) }
        let files = try InputFiles(options.inputs)
        let names = ["ad_feature.csv", "raw_sample.csv", "user_profile.csv", "behavior_log.csv"]
        let paths = try names.map { try files.need([$0], "\($0), \($0).gz or \($0).zst (unpack a .tar first)") }
        for (number, read) in [readAds, readSamples, readProfiles, readBehaviors].enumerated() {
            try read(paths[number], quarantine) { progress("reading \(names[number])", $0) }
            try quarantine.check()
        }
    }

    /// Users who have a sample but no profile.
    var usersWithoutProfile: Int { hasProfile.count { !$0 } }

    /// How many ads the samples show.
    var shownAds: Int {
        var shown = [Bool](repeating: false, count: ads.count)
        for sample in samples { shown[Int(sample.ad)] = true }
        return shown.count { $0 }
    }

    /// The samples by user and time, which are then no longer held here.
    func takeSamples() -> UserRecords<Sample> {
        let all = samples
        samples = []
        return UserRecords([all], users: 0..<users.count)
    }

    /// The ranges of users by which behaviors are taken.
    var userRanges: [Range<Int>] { (0..<behaviors.count).map { behaviors.users(of: $0) } }

    /// The behaviors of a range of users, which are then no longer held here.
    func takeBehaviors(_ range: Int) -> UserRecords<Behavior> { behaviors.take(range) }

    /// The fields of a user.
    func userFields(_ user: Int) -> [UInt64] {
        let width = Alimama.profile.count
        return [users.ids[user]] + profiles[user * width..<(user + 1) * width]
    }

    /// The fields of an ad.
    func adFields(_ ad: Int) -> [UInt64] {
        let first = ad * Alimama.features.count
        return [adFeatures[first], adFeatures[first + 1], ads.ids[ad], adFeatures[first + 2], adFeatures[first + 3]]
    }

    // MARK: - Files

    private func readAds(_ path: String, _ quarantine: Quarantine, _ progress: (Double) -> Void) throws {
        let file = ColumnFile(
            path, order: ["adgroup_id", "cate_id", "campaign_id", "customer", "brand", "price"],
            wanted: ["adgroup_id", "price"] + Alimama.features)
        try file.read(quarantine, progress: progress) {
            guard let id = file.key(0) else { return "the adgroup is empty" }
            var price = 0.0
            if !ColumnFile.isMissing(file[1]) {
                guard let value = Fields.number(file[1]) else { return "price '\(file.text(1))' is no number" }
                price = max(0, value)
            }
            let ad = addAd(id).number
            prices[ad] = Float(log1p(price))
            for place in 0..<Alimama.features.count {
                adFeatures[ad * Alimama.features.count + place] = file.id(2 + place)
            }
            return nil
        }
    }

    /// The number of an ad; nothing is known of a new one.
    private func addAd(_ id: UInt64) -> (number: Int, isNew: Bool) {
        let (number, isNew) = ads.number(of: id)
        if isNew {
            prices.append(0)
            for _ in Alimama.features { adFeatures.append(Events.unknownId) }
        }
        return (number, isNew)
    }

    private func readSamples(_ path: String, _ quarantine: Quarantine, _ progress: (Double) -> Void) throws {
        let known = ads.count
        let file = ColumnFile(
            path, order: ["user", "time_stamp", "adgroup_id", "pid", "nonclk", "clk"],
            wanted: ["user", "time_stamp", "adgroup_id", "pid", "clk"])
        try file.read(quarantine, progress: progress) {
            guard let id = file.key(0), let adgroup = file.key(2) else { return "the user or the adgroup is empty" }
            guard let time = file.time(1) else { return "time_stamp '\(file.text(1))' is no number of seconds" }
            guard let click = Fields.number(file[4]), click == 0 || click == 1 else {
                return "clk '\(file.text(4))' is neither 0 nor 1"
            }
            guard isKept(id) else { return nil }
            guard let pid = UInt16(exactly: pids.number(of: file.id(3)).number) else { return "too many distinct pids" }
            let ad = addAd(adgroup).number
            if ad >= known { unknownAds += 1 }
            let (user, isNew) = users.number(of: id)
            if isNew { newest.append(time) }
            newest[user] = max(newest[user], time)
            samples.append(
                Sample(user: UInt32(user), time: time, ad: UInt32(ad), pid: pid, isClick: click == 1))
            return nil
        }
        try checkTimes(path)
    }

    /// Throws when there is nothing to train on.
    private func checkTimes(_ path: String) throws {
        guard let first = samples.map(\.time).min() else {
            throw PrepareError.empty("\(path) holds no samples of the users that are kept")
        }
        if Int64(first) >= options.validationFrom {
            throw PrepareError.empty(
                "\(path) holds no samples to train on: the first is at \(first), and from \(options.validationFrom) on "
                    + "they validate or test (--test-from, --validation-hours)")
        }
    }

    /// Whether a user belongs to the share that is kept: a function of seed and user.
    private func isKept(_ user: UInt64) -> Bool {
        options.usersShare >= 1 || Double(Philox.word(key: seed, user, 0) >> 11) * 0x1p-53 < options.usersShare
    }

    private func readProfiles(_ path: String, _ quarantine: Quarantine, _ progress: (Double) -> Void) throws {
        let width = Alimama.profile.count
        profiles = [UInt64](repeating: Events.unknownId, count: users.count * width)
        hasProfile = [Bool](repeating: false, count: users.count)
        let columns = ["userid"] + Alimama.profile.map(\.1)
        let file = ColumnFile(path, order: columns, wanted: columns)
        try file.read(quarantine, progress: progress) {
            guard let id = file.key(0) else { return "the user is empty" }
            guard let user = users.find(id) else { return nil }
            hasProfile[user] = true
            for place in 0..<width { profiles[user * width + place] = file.id(1 + place) }
            return nil
        }
    }

    private func readBehaviors(_ path: String, _ quarantine: Quarantine, _ progress: (Double) -> Void) throws {
        behaviors = UserBuckets(users: users.count)
        let columns = ["user", "time_stamp", "btag", "cate", "brand"]
        let names = AlimamaOptions.kinds.map { Array($0.utf8) }
        let file = ColumnFile(path, order: columns, wanted: columns)
        try file.read(quarantine, progress: progress) {
            guard let id = file.key(0) else { return "the user is empty" }
            guard let time = file.time(1) else { return "time_stamp '\(file.text(1))' is no number of seconds" }
            guard let kind = names.firstIndex(where: { file[2].elementsEqual($0) }) else {
                return "btag '\(file.text(2))' is none of \(AlimamaOptions.kinds.joined(separator: ", "))"
            }
            guard kinds[kind], options.behaviorsFrom == 0 || Int64(time) >= options.behaviorsFrom,
                let user = users.find(id), time < newest[user]
            else { return nil }
            let (cate, brand) = (cates.number(of: file.id(3)).number, brands.number(of: file.id(4)).number)
            guard brand < 1 << 30 else { return "too many distinct brands" }
            behaviors.add(
                Behavior(
                    user: UInt32(user), time: time, cate: UInt32(cate),
                    brandAndKind: UInt32(brand) << 2 | UInt32(kind)))
            return nil
        }
    }
}
