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

    /// Does something with each of several things, and throws all that is wrong with them in one error.
    ///
    /// - Parameter place: stands before each line that is wrong with the item of a number.
    package static func gather<Item>(
        _ items: some Collection<Item>, at place: (Int) -> String = { _ in "" },
        _ body: (Item) throws(Complaint) -> Void
    ) throws(Complaint) {
        var problems: [String] = []
        for (index, item) in items.enumerated() {
            do throws(Complaint) { try body(item) } catch {
                problems += error.description.split(separator: "\n").map { place(index) + $0 }
            }
        }
        if !problems.isEmpty { throw .config(problems.joined(separator: "\n")) }
    }
}

extension FailureReport.Cause {
    /// Data, unless the text says that a disk is full, or that no file more may be opened.
    package static func data(unless text: String) -> FailureReport.Cause {
        if FailureDiagnosis.isWantOfFiles(text) { return .other }
        return FailureDiagnosis.cause(of: text) == .diskFull ? .diskFull : .data
    }
}
