/// An error that is one sentence: what is wrong, where, and what to do.
package struct Complaint: FailureCausing, CustomStringConvertible {
    package let description: String
    package let cause: FailureReport.Cause

    /// - Parameter cause: what the words speak of unless it is known.
    package init(_ description: String, _ cause: FailureReport.Cause? = nil) {
        self.description = description
        self.cause = cause ?? FailureDiagnosis.cause(of: description)
    }

    /// Of what a person has written or named.
    package static func config(_ description: String) -> Complaint { Complaint(description, .config) }

    /// Of what is on disk, or cannot be put there.
    package static func data(_ description: String) -> Complaint { Complaint(description, .data(unless: description)) }
}

extension FailureReport.Cause {
    /// Data, unless the text says that a disk is full, or that no file more may be opened.
    package static func data(unless text: String) -> FailureReport.Cause {
        if FailureDiagnosis.isWantOfFiles(text) { return .other }
        return FailureDiagnosis.cause(of: text) == .diskFull ? .diskFull : .data
    }
}
