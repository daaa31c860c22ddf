package import Telemetry

/// Why the job failed: who first, how, and what to do.
extension FailureReport {
    /// Who and what, who only once.
    package var headline: String { what.hasPrefix(first) ? what : "\(first): \(what)" }

    /// Where and when it was, who only followed, and where its log is; empty what is not known.
    package var facts: [(name: String, text: String)] {
        let place = [
            host.isEmpty ? "" : "host \(host)", pid > 0 ? "process \(pid)" : "", "at \(Quantity.clock(time)) UTC",
            "step \(Quantity.exact(step))", "cause: \(cause.rawValue)",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        return [("where", place), ("followed", followers.joined(separator: ", ")), ("remedy", remedy), ("log", log)]
    }
}

extension Sheet {
    /// The report, whole, and the last lines of whoever was first.
    package func failure(_ failure: FailureReport) -> Markup {
        let lines: Markup =
            failure.lastLines.isEmpty
            ? "" : "<h3>Its last lines</h3><pre tabindex=\"0\">\(failure.lastLines.joined(separator: "\n"))</pre>"
        return """
            <section\(Markup.attribute("id", isPage ? "failure" : "")) class="failure" role="alert">
            <h2>\(icon("failed"))Failed first: \(failure.first)</h2>
            <p class="what">\(failure.what)</p>
            <p class="remedy"><strong>What to do:</strong> \(failure.remedy)</p>
            \(facts(failure.facts.filter { $0.name != "remedy" }))\
            \(lines)</section>

            """
    }
}
