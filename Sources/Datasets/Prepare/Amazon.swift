/// Amazon's product data of 2014: `reviews_*_5.json[.gz]` and `meta_*.json[.gz]`, one object a line.
enum Amazon {
    /// Reviewer, product, time and stars of every review.
    static func readReviews(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try LineReader.read(path: path) { line, number in
            if line.isEmpty { return }
            guard let review = Literal(line) else {
                quarantine.add(path, number, "no JSON object", line)
                return
            }
            guard let user = review["reviewerID"]?.text, let item = review["asin"]?.text, !user.isEmpty, !item.isEmpty
            else {
                quarantine.add(path, number, "reviewerID or asin is missing", line)
                return
            }
            guard let time = review["unixReviewTime"]?.number, time.magnitude < 9e18 else {
                quarantine.add(path, number, "unixReviewTime is missing", line)
                return
            }
            events.add(
                user: id(user), item: id(item), time: Int64(time), rating: Float(review["overall"]?.number ?? 1))
            quarantine.good()
        }
    }

    /// The category of a product: the last of its first list, as in the public code of DIN.
    static func readMetadata(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try LineReader.read(path: path) { line, number in
            if line.isEmpty { return }
            guard let product = Literal(line), let item = product["asin"]?.text, !item.isEmpty else {
                quarantine.add(path, number, "no object with an asin", line)
                return
            }
            if let category = product["categories"]?.list?.first?.list?.last?.text {
                events.setCategory(id(category), of: id(item))
            }
            quarantine.good()
        }
    }

    static func id(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { Events.id($0) }
    }
}
