import ArgumentParser
import Cluster
import Display
import Foundation
import Telemetry
import Wire

/// How a command that only looks prints what it sees.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

/// What the commands that only look at a job share.
struct LookArguments: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "A run directory, or the scheduler's address (tcp://host:port, ipc://path); the newest run in runs/ unless "
                + "given.", valueName: "target"))
    var target: String?

    @Option(name: .shortAndLong, help: "table, or json for programs.")
    var output = OutputFormat.table

    @Flag(help: "No colors; so does the variable NO_COLOR.")
    var noColor = false

    @OptionGroup var security: SecurityArguments

    /// Opens the job that is meant.
    func source() throws -> StatusSource {
        try Exit.attempt { try StatusSource(target, access: security.access) }
    }

    /// The newest status and, if they are wanted, the points of its curves.
    func read(_ source: StatusSource, seriesSince: Double? = nil) throws -> Inspection {
        try Exit.attempt(else: source.endpoint.isEmpty ? .input : .unavailable) {
            try source.read(seriesSince: seriesSince)
        }
    }

    /// Prints a part of the status once, as a table or as JSON.
    func show(
        _ part: (ClusterStatus) throws -> any Encodable,
        _ lines: (ClusterStatus, Moment, Int) throws -> [Line]
    ) throws {
        let source = try source()
        let status = try read(source).status
        if output == .json {
            LookArguments.write(try LookArguments.json(try part(status), pretty: true))
        } else {
            let moment = LookArguments.moment(source)
            print(lines: try lines(status, moment, LookArguments.width))
        }
    }

    /// When and from where the last status came.
    static func moment(_ source: StatusSource) -> Moment {
        Moment(now: Date().timeIntervalSince1970, isLive: source.isLive)
    }

    /// The text of a value, without a line end; what would steer a terminal is escaped.
    static func json(_ value: some Encodable, pretty: Bool) throws -> String {
        String(decoding: try TelemetryJSON.encode(value, pretty: pretty), as: UTF8.self).unicodeScalars.map { scalar in
            guard scalar != "\n", scalar.visible != nil else { return String(scalar) }
            return String(scalar).utf16.map { String(format: "\\u%04x", $0) }.joined()
        }.joined()
    }

    /// Prints lines, colored where that is wanted.
    func print(lines: [Line]) {
        let colored = isColored
        LookArguments.write(lines.map { colored ? $0.colored : $0.text }.joined(separator: "\n"))
    }

    /// A text and a line end, at once on standard output; a reader that has gone away ends the program quietly.
    static func write(_ text: String) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR, errno != EAGAIN {
                endForOutput(errno)
            }
        }
    }

    /// Ends the program whose output cannot be written: quietly where its reader has gone away.
    static func endForOutput(_ code: Int32) -> Never {
        if code == EPIPE { _exit(ExitCodes.success.rawValue) }
        StandardError.line("error: standard output cannot be written: \(String(cString: strerror(code)))")
        _exit(ExitCodes.failed.rawValue)
    }

    /// Ends the program quietly where nobody reads its output any more.
    static func endWithoutReader() {
        var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        if poll(&output, 1, 0) > 0, output.revents & Int16(POLLERR) != 0 { endForOutput(EPIPE) }
    }

    /// A remark beside the output.
    static func remark(_ text: String) { StandardError.line(text.harmless) }

    /// Colors are for terminals, and for those who did not refuse them (no-color.org).
    var isColored: Bool {
        let environment = ProcessInfo.processInfo.environment
        return !noColor && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
            && isatty(STDOUT_FILENO) != 0
    }

    /// Columns of the terminal, or what COLUMNS says; piped output is not cut.
    static var width: Int {
        if let size = Screen.size() { return size.width }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init).map { max(20, $0) } ?? 10_000
    }
}
