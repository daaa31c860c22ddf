// Arithmetic on numbers that somebody else wrote (a node's report, a file): none of it can trap. What does not fit is the
// nearest that does.

extension Int {
    /// The whole part of a value, the nearest that fits; 0 for what is no number.
    package init(bounded value: Double) {
        self = Int(exactly: value.rounded(.towardZero)) ?? (value.isNaN ? 0 : value > 0 ? .max : .min)
    }

    /// The sum, or the bound that it passes.
    ///
    /// Never inlined: a row of sums in one function would take the optimizer a minute.
    @inline(never)
    package func plus(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }

    /// The difference, or the bound that it passes.
    @inline(never)
    package func minus(_ other: Int) -> Int {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? (other < 0 ? .max : .min) : difference
    }
}

extension Sequence {
    /// The sum of a count over all elements.
    package func total(_ count: (Element) -> Int) -> Int { reduce(0) { $0.plus(count($1)) } }
}

extension Sequence<Int> {
    /// The sum of all.
    package var total: Int { reduce(0) { $0.plus($1) } }
}

extension Duration {
    /// Seconds that somebody else counted, at most some thirty thousand years of them; none for what is no number.
    package init(bounded seconds: Double) {
        self = .seconds(seconds.isNaN ? 0 : Swift.max(-1e12, Swift.min(1e12, seconds)))
    }
}
