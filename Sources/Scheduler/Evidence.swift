package import Telemetry

/// A sign that something failed, and how much it says about who was first.
package struct Evidence: Sendable, Equatable {
    /// From the most to the least telling: of several signs within a moment the first kind names the true cause.
    package enum Kind: Sendable, Comparable {
        /// The node itself said what is wrong.
        case ownWords
        /// Its launcher saw how it ended.
        case died
        /// It is not there anymore.
        case vanished
        /// Nothing is heard of it.
        case silence
        /// It never came.
        case missing
        /// It complains of another one.
        case consequence
    }

    /// How much it says.
    package var kind: Kind
    /// The node, where it has a place in the job.
    package var member: Member?
    /// What happened, in one sentence that names who.
    package var what: String
    /// What kind of failure.
    package var cause: FailureReport.Cause
    /// Its host and process; empty and 0 where the membership knows better.
    package var host = ""
    package var pid = 0
    /// Its log, and the last lines of it.
    package var log = ""
    package var lastLines: [String] = []
    /// What to do, where the cause alone does not tell.
    package var remedy: String?
    /// The step at which it happened, where the node knows: others may be further by the time it is told.
    package var step: Int?
    /// When it was seen.
    package var time: ContinuousClock.Instant

    /// A sign of failure; the cause is read from the words unless it is known.
    package init(
        _ kind: Kind, of member: Member?, what: String, cause: FailureReport.Cause? = nil, remedy: String? = nil,
        at time: ContinuousClock.Instant = .now
    ) {
        self.kind = kind
        self.member = member
        self.what = what
        self.cause = cause ?? FailureDiagnosis.cause(of: what)
        self.remedy = remedy
        self.time = time
    }
}
