/// Amazon's product data of 2014: `reviews_*_5.json[.gz]` and `meta_*.json[.gz]`, one object a line.
enum Amazon {
    /// Reviewer, product, time and stars of every review.
    static func readReviews(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try quarantine.read(path) { line, _ in
            guard let review = Literal(line) else { return "no JSON object" }
            guard let user = review["reviewerID"]?.text, let item = review["asin"]?.text, !user.isEmpty, !item.isEmpty
            else { return "reviewerID or asin is missing" }
            guard let time = review["unixReviewTime"]?.number, time.magnitude < 9e18 else {
                return "unixReviewTime is missing"
            }
            events.add(
                user: id(user), item: id(item), time: Int64(time), rating: Float(review["overall"]?.number ?? 1))
            return nil
        }
    }

    /// The category of a product: the last of its first list, as in the public code of DIN.
    static func readMetadata(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try quarantine.read(path) { line, _ in
            guard let product = Literal(line), let item = product["asin"]?.text, !item.isEmpty else {
                return "no object with an asin"
            }
            if let category = product["categories"]?.list?.first?.list?.last?.text {
                events.setCategory(id(category), of: id(item))
            }
            return nil
        }
    }

    static func id(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { Events.id($0) }
    }
}
