/// What is prepared, and how.
package struct PrepareOptions: Sendable, Equatable {
    /// Where the events come from.
    package enum Format: String, Sendable, CaseIterable {
        /// `u.data` and `u.item`, `ratings.dat` and `movies.dat`, or `ratings.csv` and `movies.csv`.
        case movielens
        /// `<name>.inter` and `<name>.item` of RecBole.
        case recbole
        /// `reviews_*_5.json[.gz]` and `meta_*.json[.gz]` of 2014.
        case amazon
        /// `UserBehavior.csv`.
        case taobao
        /// `raw_sample.csv`, `ad_feature.csv`, `user_profile.csv` and `behavior_log.csv` of Alimama's display ads.
        case alimama
        /// CSV or TSV by a schema.
        case delimited
        /// A world whose click probability is known.
        case synthetic

        /// All of them, in words.
        package static var words: String {
            let names = allCases.map(\.rawValue)
            return names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
        }
    }

    /// What is predicted.
    package enum Task: String, Sendable, CaseIterable {
        /// The user's next item against sampled ones.
        case next
        /// Whether the user rates an item at least `threshold`.
        case rating
    }

    /// Where negatives are drawn from.
    package enum Sampling: String, Sendable, CaseIterable {
        /// Every item alike.
        case uniform
        /// As often as the item occurs.
        case popularity
    }

    /// Where the events come from.
    package var format = Format.movielens
    /// Files, or one directory that holds them.
    package var inputs: [String] = []
    /// The dataset directory.
    package var output = ""
    /// Seed of the negatives, or of the world.
    package var seed: UInt64 = 7
    /// What is predicted.
    package var task = Task.next
    /// Rating from which on a sample is positive.
    package var threshold: Float = 4
    /// Negatives for each positive.
    package var negatives = 1
    /// Where they are drawn from.
    package var sampling = Sampling.uniform
    /// Events that a user must have.
    package var least = 3
    /// Newest behaviors of a history that occurrence counts regard.
    package var history = 50
    /// Share of the lines that may be malformed.
    package var badLines = 0.01
    /// The columns of delimited files.
    package var schema = DelimitedSchema()
    /// How Alimama's ads are split and filtered.
    package var alimama = AlimamaOptions()
    /// The synthetic world.
    package var world = WorldOptions()

    /// The defaults.
    package init() {}
}

/// The synthetic world.
package struct WorldOptions: Sendable, Equatable {
    /// What decides about a click.
    package enum Kind: String, Sendable, CaseIterable {
        /// How many behaviors are like the target.
        case interests
        /// Which of two behaviors came first.
        case order
        /// Where the newest behaviors lead to.
        case drift
        /// The theme of a session.
        case sessions
    }

    /// What decides about a click.
    package let kind: Kind
    /// Users.
    package var users = 2000
    /// Items.
    package var items = 2000
    /// Categories.
    package var categories = 40
    /// Interests (categories) that a user has at a time; only in the world of interests.
    package var interests = 3
    /// Candidates that a user is shown.
    package var impressions = 60
    /// Probability that an interest is replaced after a session; only in the world of interests.
    package var drift = 0.1

    /// The defaults of a world.
    package init(_ kind: Kind = .interests) {
        self.kind = kind
        switch kind {
        case .interests: break
        case .order: (items, categories, impressions) = (480, 24, 80)
        case .drift: (items, categories, impressions) = (240, 12, 80)
        case .sessions: (items, categories, impressions) = (320, 16, 80)
        }
    }
}

/// What was prepared.
package struct PrepareReport: Sendable, Equatable {
    /// Samples by split.
    package var samples: [String: Int] = [:]
    /// Distinct users, items and categories.
    package var users = 0
    package var items = 0
    package var categories = 0
    /// Lines read, and those set aside.
    package var lines = 0
    package var quarantined = 0
    /// Alimama: samples whose ad is not in `ad_feature.csv`, and users who are not in `user_profile.csv`.
    package var unknownAds = 0
    package var usersWithoutProfile = 0
    /// AUC of the known click probability by split.
    package var bayesAUC: [String: Double] = [:]
}
