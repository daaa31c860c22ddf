/// Why a dataset cannot be prepared.
package enum PrepareError: Error, CustomStringConvertible, Equatable {
    /// A file cannot be read or is damaged.
    case file(path: String, String)
    /// The first of too many lines that cannot be read.
    case lines(path: String, line: Int, reason: String, bad: Int, total: Int)
    /// An option makes no sense.
    case option(String, String)
    /// What was read is not enough to make splits of.
    case empty(String)

    package var description: String {
        switch self {
        case .file(let path, let problem): "\(path): \(problem)"
        case .lines(let path, let line, let reason, let bad, let total):
            "\(path):\(line): \(reason). \(bad) of \(total) lines are malformed, more than --bad-lines allows: check that "
                + "the format fits the file, or raise the limit"
        case .option(let name, let problem): "--\(name): \(problem)"
        case .empty(let problem): problem
        }
    }
}
