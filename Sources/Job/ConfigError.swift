/// What is wrong with a configuration: all that could be found, each with its place.
package struct ConfigError: Error, CustomStringConvertible, Equatable {
    /// One line for each problem.
    package let problems: [String]

    /// All of them, in order.
    package init(problems: [String]) { self.problems = problems }

    init(_ problem: String) { problems = [problem] }

    package var description: String { problems.joined(separator: "\n") }
}

/// The name that is most like a misspelled one, if one is at all.
package func nearest(to name: String, among known: [String]) -> String? {
    let best = known.map { ($0, distance(Array(name), Array($0))) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
    return best.flatMap { $0.1 <= max(2, name.count / 2) ? $0.0 : nil }
}

/// Edits that turn one word into the other (Levenshtein).
private func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, right) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (left == right ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}
