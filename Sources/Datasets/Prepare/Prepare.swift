import Foundation

extension PrepareOptions {
    /// Makes a dataset directory of raw files; an older one of the same name is replaced when the new one is complete.
    ///
    /// - Parameter progress: called now and then with what is done and how far (0 to 1).
    package func prepare(
        progress: (_ phase: String, _ share: Double) -> Void = { _, _ in }
    ) throws -> PrepareReport {
        let options = self
        try check(options)
        let name = (options.output as NSString).lastPathComponent
        let writer = try DatasetWriter(
            directory: options.output, name: name, schema: try rawSchema(of: options), countedHistory: options.history)
        var notes = [
            "format": options.format.rawValue, "seed": String(options.seed),
            "inputs": options.inputs.joined(separator: " "),
        ]
        var report = PrepareReport()
        let quarantine = Quarantine(limit: options.badLines)
        if options.format == .synthetic {
            let world = try makeWorld(options.world, seed: options.seed)
            report.bayesAUC = try write(world, users: options.world.users, seed: options.seed, to: writer) {
                progress("writing", $0)
            }
            if options.world.kind != .interests { notes["world"] = options.world.kind.rawValue }
            report.users = options.world.users
            report.items = options.world.items
        } else if options.format == .alimama {
            let ads = try Alimama(options, quarantine, progress: progress)
            notes.merge(options.alimama.notes) { $1 }
            report.users = ads.users.count
            report.items = ads.shownAds
            (report.unknownAds, report.usersWithoutProfile) = (ads.unknownAds, ads.usersWithoutProfile)
            try AlimamaWriter(ads).write(to: writer) { progress("writing", $0) }
        } else {
            progress("reading", 0)
            let events = Events(extras: options.schema.behavior.count)
            try read(options, into: events, quarantine)
            try quarantine.check()
            guard events.count > 0 else {
                throw PrepareError.empty("\(options.inputs.joined(separator: ", ")) hold no events")
            }
            progress("sorting", 0)
            let samples = NextItem(events, options)
            try samples.write(to: writer) { progress("writing", $0) }
            notes["task"] = options.task.rawValue
            notes["negatives"] = options.task == .next ? "\(options.negatives) \(options.sampling.rawValue)" : "0"
            report.users = samples.users
            report.items = samples.itemCount
        }
        progress("counting", 0)
        let info = try writer.finish(prepared: notes, quarantined: quarantine.bad)
        try quarantine.write(to: options.output + "/quarantine.txt")
        report.samples = info.splits.mapValues(\.samples)
        report.categories = info.ids["category"] ?? info.ids["cate"] ?? 0
        report.lines = quarantine.lines
        report.quarantined = quarantine.bad
        guard report.samples.values.contains(where: { $0 > 0 }) else {
            throw PrepareError.empty("no user has \(max(3, options.least)) events: there is nothing to train on")
        }
        return report
    }
}

/// The fields that a format brings.
private func rawSchema(of options: PrepareOptions) throws -> Schema {
    switch options.format {
    case .alimama: Alimama.schema
    case .delimited: NextItem.schema(extras: try options.schema.behaviorNames)
    default: NextItem.schema()
    }
}

private func check(_ options: PrepareOptions) throws {
    try AlimamaOptions.check(options)
    if options.format != .delimited, !options.schema.behavior.isEmpty {
        throw PrepareError.option("schema", "has behavior columns, which fit delimited only")
    }
    if options.output.isEmpty { throw PrepareError.option("output", "is missing: name the dataset directory") }
    if options.format != .synthetic, options.inputs.isEmpty {
        throw PrepareError.option("input", "is missing: name the files, or the directory that holds them")
    }
    if options.negatives < 1 { throw PrepareError.option("negatives", "is \(options.negatives), expected 1 or more") }
    if !(0...1).contains(options.badLines) { throw PrepareError.option("bad-lines", "is no share between 0 and 1") }
}

/// Finds the files of a format and reads them, items first.
private func read(_ options: PrepareOptions, into events: Events, _ quarantine: Quarantine) throws {
    let files = try InputFiles(options.inputs)
    var schema = options.schema
    var paths = files.paths
    switch options.format {
    case .synthetic, .alimama: return
    case .movielens:
        let tabs = files.first(["u.data"])
        let dat = tabs == nil ? files.first(["ratings.dat"]) : nil
        let isOld = tabs != nil || dat != nil
        schema = DelimitedSchema()
        (schema.user, schema.item, schema.rating, schema.time) =
            isOld ? ("1", "2", "3", "4") : ("userId", "movieId", "rating", "timestamp")
        (schema.header, schema.separator) = (!isOld, tabs != nil ? "tab" : dat != nil ? "::" : "comma")
        if let items = files.first([tabs != nil ? "u.item" : dat != nil ? "movies.dat" : "movies.csv"]) {
            if tabs != nil {
                try ItemFile.readFlags(items, into: events, quarantine)
            } else {
                try (dat != nil ? ItemFile.dat : .csv).read(items, into: events, quarantine)
            }
        }
        paths = [try tabs ?? dat ?? files.need(["ratings.csv"], "u.data, ratings.dat or ratings.csv")]
    case .recbole:
        if let items = files.first([".item"]) { try ItemFile.recbole.read(items, into: events, quarantine) }
        paths = [try files.need([".inter"], "a .inter file")]
        (schema.user, schema.item) = ("user_id", "item_id")
        (schema.rating, schema.time) = try recboleColumns(paths[0])
    case .amazon:
        for meta in files.all(prefix: "meta_") { try Amazon.readMetadata(meta, into: events, quarantine) }
        let reviews = files.all(prefix: "reviews_")
        if reviews.isEmpty { _ = try files.need(["reviews_"], "reviews_*_5.json or .json.gz") }
        for file in reviews { try Amazon.readReviews(file, into: events, quarantine) }
        return
    case .taobao:
        (schema.separator, schema.header) = ("comma", false)
        (schema.user, schema.item, schema.category, schema.time) = ("1", "2", "3", "5")
        paths = [try files.need(["UserBehavior.csv"], "UserBehavior.csv")]
    case .delimited: break
    }
    for path in paths { try DelimitedReader(schema: schema).read(path, into: events, quarantine) }
}

/// The rating and time columns that a `.inter` file has; both are optional there.
private func recboleColumns(_ path: String) throws -> (rating: String, time: String) {
    var names: [Substring] = []
    try LineReader.read(path: path) { line, number in
        if number == 1 {
            names = String(decoding: line, as: UTF8.self).split(separator: "\t").map { $0.prefix { $0 != ":" } }
        }
    }
    return (names.contains("rating") ? "rating" : "", names.contains("timestamp") ? "timestamp" : "")
}

/// The files that were named, directories resolved.
struct InputFiles {
    let paths: [String]
    private let given: [String]

    init(_ inputs: [String]) throws {
        given = inputs
        var paths: [String] = []
        for input in inputs {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: input, isDirectory: &isDirectory) else {
                throw PrepareError.file(path: input, "is missing")
            }
            if isDirectory.boolValue {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: input)) ?? []
                paths += names.sorted().map { input + "/" + $0 }
            } else {
                paths.append(input)
            }
        }
        self.paths = paths
    }

    private func base(_ path: String) -> String {
        var name = (path as NSString).lastPathComponent
        for ending in [".gz", ".zst"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        return name
    }

    /// The first file whose name, without a compression's ending, ends with one of these.
    func first(_ endings: [String]) -> String? {
        paths.first { path in endings.contains { base(path).hasSuffix($0) } }
    }

    /// All files whose name begins so.
    func all(prefix: String) -> [String] { paths.filter { base($0).hasPrefix(prefix) } }

    /// Like `first`, or an error that says what is wanted.
    func need(_ endings: [String], _ wanted: String) throws -> String {
        guard let found = first(endings) else {
            throw PrepareError.file(path: given.joined(separator: ", "), "holds no \(wanted)")
        }
        return found
    }
}
