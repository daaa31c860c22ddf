import ArgumentParser
import Cluster
import Datasets
import Foundation
import Telemetry

extension PrepareOptions.Format: ExpressibleByArgument {}
extension PrepareOptions.Task: ExpressibleByArgument {}
extension PrepareOptions.Sampling: ExpressibleByArgument {}
extension WorldOptions.Kind: ExpressibleByArgument {}

struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a dataset directory of raw files, or of a synthetic world.",
        discussion: """
            A user's last event tests, the one before validates, the others train; each positive comes with sampled \
            negatives that the user never touched; histories lie strictly before their target.

            Examples:
              myriad prepare movielens ml-100k --output data/movielens
              myriad prepare recbole ml-100k.inter ml-100k.item --output data/movielens
              myriad prepare amazon reviews_Books_5.json.gz meta_Books.json.gz \\
                --output data/books
              myriad prepare taobao UserBehavior.csv --output data/taobao
              myriad prepare alimama Ali_Display_Ad_Click --behaviors pv \\
                --users-share 0.25 --output data/alimama
              myriad prepare delimited log.tsv.gz --schema schema.yaml --output data/log
              myriad prepare synthetic --users 2000 --output data/synthetic
              myriad prepare synthetic --world order --output data/order

            A schema is YAML: separator (tab, comma, pipe, json or characters), header, user, item, category, time, \
            rating, only: [column, value] to keep one kind of line, and behavior: [column, ...] for further fields of \
            the history's behaviors.

            Alimama's impressions are given with their clicks; they are split by time, and histories hold what the \
            user did strictly before.
            """)

    @Argument(help: "\(PrepareOptions.Format.words).")
    var format: PrepareOptions.Format

    @Argument(help: "Files, or the directory that holds them; .gz and .zst are read as they are.")
    var inputs: [String] = []

    @Option(name: .shortAndLong, help: "The dataset directory to make.")
    var output: String

    @Option(help: "next: the next item against sampled ones. rating: whether a rating reaches --threshold.")
    var task = PrepareOptions.Task.next

    @Option(help: "The rating from which on a sample is positive.")
    var threshold: Float = 4

    @Option(help: "Negatives for each positive.")
    var negatives = 1

    @Option(help: "Where negatives are drawn from: uniform or popularity.")
    var sampling = PrepareOptions.Sampling.uniform

    @Option(help: "Seed of negatives, of the users that are kept, or of the synthetic world.")
    var seed: UInt64 = 7

    @Option(help: "Newest behaviors of a history that occurrence counts regard; use the job's data.history.")
    var history = 50

    @Option(help: "Share of malformed lines that is tolerated.")
    var badLines = 0.01

    @Option(help: "YAML file with the columns of delimited files.")
    var schema: String?

    @OptionGroup(title: "Alimama")
    var ads: AlimamaArguments

    @Option(
        help: """
            Synthetic: what decides about a click. interests: how many behaviors are like the target. order: which of two \
            came first. drift: where the newest lead to. sessions: a session's theme.
            """)
    var world = WorldOptions.Kind.interests

    @Option(help: "Synthetic: users (default: 2000).")
    var users: Int?

    @Option(help: "Synthetic: items (default: interests 2000, order 480, drift 240, sessions 320).")
    var items: Int?

    @Option(help: "Synthetic: categories (default: interests 40, order 24, drift 12, sessions 16).")
    var categories: Int?

    @Option(help: "Synthetic, interests: interests of a user at a time (default: 3).")
    var interests: Int?

    @Option(help: "Synthetic: candidates that a user is shown (default: 60 in interests, else 80).")
    var impressions: Int?

    func validate() throws {
        try Bounds.check(
            ("--negatives", negatives, 0...1000), ("--history", history, 1...65_536),
            ("--users", users, 1...100_000_000), ("--items", items, 2...100_000_000),
            ("--categories", categories, 1...10_000_000), ("--interests", interests, 1...10_000),
            ("--impressions", impressions, 1...100_000))
        try Bounds.check("--bad-lines", badLines, 0...1)
        try Bounds.check("--threshold", threshold, -1e6...1e6)
    }

    func run() throws {
        var options = PrepareOptions()
        options.format = format
        options.inputs = inputs
        options.output = output
        options.task = task
        options.threshold = threshold
        options.negatives = negatives
        options.sampling = sampling
        options.seed = seed
        options.history = history
        options.badLines = badLines
        options.alimama = ads.options
        options.world = WorldOptions(world)
        if let users { options.world.users = users }
        if let categories { options.world.categories = categories }
        if let items { options.world.items = items }
        if let interests { options.world.interests = interests }
        if let impressions { options.world.impressions = impressions }
        try Exit.attempt(.input) {
            try RunPlace.checkPlace(output, "the dataset's directory", "--output")
            if interests != nil, world != .interests {
                throw PrepareError.option("interests", "belongs to the world of interests, not to that of \(world)")
            }
            if let schema { options.schema = try DelimitedSchema(path: schema) }
            let (began, work) = (ContinuousClock.now, SlowWork())
            let report = try options.prepare { phase, share in work.begin("\(phase) \(Int(100 * share)) %") }
            let seconds = began.duration(to: .now) / .seconds(1)
            let samples = ["train", "validation", "test"].map { "\($0) \(report.samples[$0] ?? 0)" }.joined(
                separator: ", ")
            print(
                "\(output): samples \(samples); \(report.users) users, \(report.items) items, \(report.categories) categories; \(String(format: "%.1f", seconds)) s"
            )
            if report.unknownAds > 0 { print("\(report.unknownAds) samples show an ad that is not in ad_feature.csv") }
            if report.usersWithoutProfile > 0 {
                print("\(report.usersWithoutProfile) users are not in user_profile.csv")
            }
            if report.quarantined > 0 {
                print("\(report.quarantined) of \(report.lines) lines set aside: see \(output)/quarantine.txt")
            }
            for (split, auc) in report.bayesAUC.sorted(by: { $0.key < $1.key }) {
                print("Bayes AUC of \(split): \(String(format: "%.4f", auc))")
            }
        }
    }
}

/// The options of `prepare alimama`.
struct AlimamaArguments: ParsableArguments {
    @Option(help: "Alimama: impressions from this second on test (2017-05-13 00:00 UTC).")
    var testFrom = AlimamaOptions().testFrom

    @Option(help: "Alimama: impressions of so many hours before those validate.")
    var validationHours = AlimamaOptions().validationHours

    @Option(help: "Alimama: kinds of behavior that count, parted by commas: pv, cart, fav, buy.")
    var behaviors = AlimamaOptions.kinds.joined(separator: ",")

    @Option(help: "Alimama: behaviors before this second are left out; 0 keeps all.")
    var behaviorsFrom = AlimamaOptions().behaviorsFrom

    @Option(help: "Alimama: share of the users that are kept.")
    var usersShare = AlimamaOptions().usersShare

    @Option(help: "Alimama: newest behaviors of a history that are stored; 0 stores all.")
    var storedHistory = AlimamaOptions().storedHistory

    /// What was given.
    var options: AlimamaOptions {
        var options = AlimamaOptions()
        options.testFrom = testFrom
        options.validationHours = validationHours
        options.behaviors = behaviors.split(separator: ",").map { String($0.filter { $0 != " " }) }
        options.behaviorsFrom = behaviorsFrom
        options.usersShare = usersShare
        options.storedHistory = storedHistory
        return options
    }
}
