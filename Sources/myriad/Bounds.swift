import ArgumentParser
import Wire

/// What numbers of the command line and the environment may be: others are refused before anything begins.
enum Bounds {
    /// Seconds up to ten years: a moment so far away can still be counted in nanoseconds.
    static let seconds = 0.01...315_360_000
    /// A node's number within its role, as messages carry it.
    static let rank = 0...65_535
    /// Processes of a role.
    static let processes = 1...65_536
    /// A port that can be named.
    static let port = 1...65_535

    /// Throws what is wrong with a number that was given, and what is expected; nothing of one that was not.
    static func check<Number: Comparable>(_ name: String, _ value: Number?, _ range: ClosedRange<Number>) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError("\(name) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }

    /// The same of several numbers.
    static func check(_ numbers: (name: String, value: Int?, range: ClosedRange<Int>)...) throws {
        for (name, value, range) in numbers { try check(name, value, range) }
    }

    /// Throws what is wrong with a name that other nodes are told; nothing of one that was not given.
    static func check(_ name: String, _ text: String?) throws {
        guard let text, let problem = Carriable.problem(text) else { return }
        throw ValidationError("\(name) is \(Carriable.shown(text)) and \(problem)")
    }
}
