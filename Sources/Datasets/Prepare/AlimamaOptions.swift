/// How Alimama's display ads are split and filtered.
package struct AlimamaOptions: Sendable, Equatable {
    /// The kinds of behavior in the log.
    package static let kinds = ["pv", "cart", "fav", "buy"]

    /// Impressions from this second on test; 2017-05-13 00:00 UTC as in the public code of DSIN.
    package var testFrom: Int64 = 1_494_633_600
    /// Impressions of so many hours before validate, earlier ones train.
    package var validationHours = 24
    /// Kinds of behavior that count.
    package var behaviors = AlimamaOptions.kinds
    /// Behaviors before this second are left out; 0 keeps all.
    package var behaviorsFrom: Int64 = 0
    /// Share of the users that are kept: a function of seed and user.
    package var usersShare = 1.0
    /// Newest behaviors of a history that are stored; 0 stores all.
    package var storedHistory = 0

    /// The defaults.
    package init() {}

    /// The second from which on impressions validate.
    var validationFrom: Int64 { testFrom - Int64(validationHours) * 3600 }

    /// Throws when a value makes no sense.
    func check() throws {
        let stranger = behaviors.first { !AlimamaOptions.kinds.contains($0) }
        let kinds = AlimamaOptions.kinds.joined(separator: ", ")
        for (option, isGood, problem) in [
            ("test-from", Int32(exactly: testFrom) != nil, "is \(testFrom), expected seconds since 1970 (in 32 bits)"),
            ("validation-hours", 0...100_000 ~= validationHours, "is \(validationHours), expected 0 to 100000"),
            ("behaviors", stranger == nil, "names '\(stranger ?? "")', expected some of \(kinds)"),
            ("behaviors", !behaviors.isEmpty, "names no kind of behavior"),
            ("users-share", usersShare > 0 && usersShare <= 1, "is \(usersShare), expected more than 0 and at most 1"),
            ("stored-history", storedHistory >= 0, "is \(storedHistory), expected 0 (all) or more"),
        ] where !isGood {
            throw PrepareError.option(option, problem)
        }
    }

    /// The options and what they are.
    private var values: [(option: String, text: String)] {
        [
            ("test-from", String(testFrom)), ("validation-hours", String(validationHours)),
            ("behaviors", behaviors.joined(separator: " ")), ("behaviors-from", String(behaviorsFrom)),
            ("users-share", String(usersShare)),
            ("stored-history", storedHistory == 0 ? "all" : String(storedHistory)),
        ]
    }

    /// What of it is recorded in the dataset.
    var notes: [String: String] {
        values.reduce(into: [:]) { $0[$1.option.replacing("-", with: "_")] = $1.text }
    }

    /// The options that differ from the defaults.
    private var given: [String] {
        zip(values, AlimamaOptions().values).filter { $0.text != $1.text }.map(\.0.option)
    }

    /// Throws when an option does not fit the format that is prepared.
    static func check(_ options: PrepareOptions) throws {
        guard options.format == .alimama else {
            if let name = options.alimama.given.first {
                throw PrepareError.option(name, "fits alimama only, not \(options.format.rawValue)")
            }
            return
        }
        let plain = PrepareOptions()
        for (name, isGiven) in [
            ("task", options.task != plain.task), ("threshold", options.threshold != plain.threshold),
            ("negatives", options.negatives != plain.negatives), ("sampling", options.sampling != plain.sampling),
            ("schema", options.schema != plain.schema),
        ] where isGiven {
            throw PrepareError.option(name, "does not fit alimama, whose impressions are given with their clicks")
        }
        try options.alimama.check()
    }
}
