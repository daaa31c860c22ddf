/// Who failed first, how, and what to do.
package struct FailureReport: Codable, Sendable, Equatable {
    /// A cause that is recognized; `result.json` and scripts name it by this word.
    package enum Cause: String, Codable, Sendable, CaseIterable {
        case config, version, data, keys, port, unreachable, killed, stopped, memory, tableLimit, diskFull, diverged
        case interrupted, other
    }

    /// Seconds since 1970.
    package var time: Double
    /// What kind of failure.
    package var cause: Cause
    /// Who failed first: "worker 1", "scheduler".
    package var first: String
    /// Its host and process.
    package var host: String
    package var pid: Int
    /// What happened, in one sentence.
    package var what: String
    /// Its log, and the last lines of it.
    package var log: String
    package var lastLines: [String]
    /// Who only followed.
    package var followers: [String]
    /// What to do.
    package var remedy: String
    /// The step that the job had reached.
    package var step: Int

    package init(
        time: Double, cause: Cause, first: String, host: String, pid: Int, what: String, log: String = "",
        lastLines: [String] = [], followers: [String] = [], remedy: String, step: Int
    ) {
        self.time = time
        self.cause = cause
        self.first = first
        self.host = host
        self.pid = pid
        self.what = what
        self.log = log
        self.lastLines = lastLines
        self.followers = followers
        self.remedy = remedy
        self.step = step
    }
}
