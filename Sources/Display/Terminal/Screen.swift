import Dispatch
import Foundation
import Synchronization
import Telemetry

/// A terminal taken over whole: alternate screen, no line editing, and given back as it was.
package final class Screen {
    /// What happened while somebody waited.
    package enum Input: Sendable, Equatable {
        /// A key, or the bytes of an escape sequence.
        case key([UInt8])
        case resized
        /// A signal ends the program; SIGHUP where its terminal has gone away.
        case ended(by: Int32)
        /// Nothing, all the time.
        case nothing
    }

    /// There is no terminal to take.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l"
    private static let leave = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"
    private var before = termios()
    private var sources: [any DispatchSourceSignal] = []
    private var wake: (read: Int32, write: Int32) = (-1, -1)
    private var isTaken = false
    /// Whether somebody has heard of a signal that ends the program.
    private let heard = Heard()

    private final class Heard: Sendable { let isSet = Atomic(false) }

    /// How long whoever draws may take to hear of it: a terminal that takes nothing holds it for ever.
    private static let patience = 2.0

    /// Takes the terminal of standard input and output.
    package init() throws {
        guard isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0, tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw Failure(description: "standard input and output are no terminal")
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: \(String(cString: strerror(errno)))") }
        wake = (ends[0], ends[1])
        for number in [SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT] { watch(number) }
        take()
    }

    deinit {
        release()
        for source in sources { source.cancel() }
        close(wake.read)
        close(wake.write)
    }

    private func watch(_ number: Int32) {
        // The handler runs on a thread of its own: a byte in a pipe ends the wait of the one that draws.
        let end = wake.write
        let given = before
        sources.append(
            SignalSource.make(number) { [heard] in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(end, &byte, 1)
                guard number != SIGWINCH else { return }
                DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) {
                    guard !heard.isSet.load(ordering: .relaxed) else { return }
                    var given = given
                    tcsetattr(STDIN_FILENO, TCSANOW, &given)
                    _exit(ExitCodes(ofSignal: number).rawValue)
                }
            })
    }

    private func take() {
        var raw = before
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        StandardError.write(Screen.enter, to: STDOUT_FILENO)
        isTaken = true
    }

    /// Gives the terminal back as it was; again does nothing.
    package func release() {
        guard isTaken else { return }
        isTaken = false
        StandardError.write(Screen.leave, to: STDOUT_FILENO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
    }

    /// Stops the process as Ctrl-Z does; goes on when it is continued.
    package func suspend() {
        release()
        kill(getpid(), SIGSTOP)
        tcgetattr(STDIN_FILENO, &before)
        take()
    }

    /// Columns and lines.
    package static func size(of descriptor: Int32 = STDOUT_FILENO) -> (width: Int, height: Int)? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Replaces what is shown.
    package func show(_ lines: [Line], colored: Bool) {
        var text = "\u{1b}[H"
        for (index, line) in lines.enumerated() {
            text += (index == 0 ? "" : "\r\n") + "\u{1b}[K" + (colored ? line.colored : line.text)
        }
        StandardError.write(text + "\u{1b}[J", to: STDOUT_FILENO)
    }

    /// Keys that arrived together with the one before.
    private var typed: [[UInt8]] = []

    /// Waits for a key, a new size, a signal, or for the time to pass.
    package func next(timeout: Duration) -> Input {
        if !typed.isEmpty { return .key(typed.removeFirst()) }
        var descriptors = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = max(0, min(60_000, (timeout / .milliseconds(1)).rounded(.up)))
        guard poll(&descriptors, 2, Int32(milliseconds)) > 0 else { return .nothing }
        var bytes = [UInt8](repeating: 0, count: 64)
        if descriptors[1].revents != 0 {
            let count = read(wake.read, &bytes, bytes.count)
            let end = bytes.prefix(max(0, count)).first { Int32($0) != SIGWINCH }
            if end != nil { heard.isSet.store(true, ordering: .relaxed) }
            return end.map { .ended(by: Int32($0)) } ?? .resized
        }
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        // A terminal that has gone away reads as its end.
        guard count > 0 else { return count < 0 && errno == EINTR ? .nothing : .ended(by: SIGHUP) }
        typed = Keys.split(Array(bytes.prefix(count)))
        return .key(typed.removeFirst())
    }
}
