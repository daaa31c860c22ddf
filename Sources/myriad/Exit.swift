import ArgumentParser
import Telemetry

/// What went wrong, in words.
struct Problem: Error, CustomStringConvertible { let description: String }

/// The ways to end, with the codes of `ExitCodes`.
enum Exit {
    /// Does a part of a command; if it fails, says why and leaves with one code, or with that of the cause.
    ///
    /// - Parameters:
    ///   - code: whatever the cause; what has a code already keeps it.
    ///   - other: where the cause has none.
    @discardableResult static func attempt<Result>(
        _ code: ExitCodes? = nil, else other: ExitCodes = .input, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch  where error is ExitCode || error is ValidationError {
            throw error
        } catch {
            throw code.map { with($0, "\(error)") } ?? with(error, else: other)
        }
    }

    /// Says what went wrong and leaves with its code.
    static func with(_ code: ExitCodes, _ message: String) -> ExitCode {
        StandardError.line("error: \(message)")
        return ExitCode(code.rawValue)
    }

    /// Says what went wrong and leaves with the code of its cause, or of another where the error has none.
    static func with(_ error: any Error, else code: ExitCodes) -> ExitCode {
        let cause = FailureReport.Cause(of: error)
        return with(cause == .other ? code : ExitCodes(rawValue: cause.exitCode) ?? code, "\(error)")
    }
}
