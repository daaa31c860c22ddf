import Foundation

/// What is wrong with a file, where, and what to do.
package enum SafetensorsError: Error, CustomStringConvertible, Equatable {
    /// The system refused: no word about what the file holds.
    ///
    /// `verb` is what could not be done ("opened"), `code` the system's errno.
    case system(path: String, verb: String, code: Int32)
    /// The file itself.
    case file(path: String, String)
    /// Its header.
    case header(path: String, String)
    /// One tensor.
    case tensor(path: String, name: String, String)

    /// The system's last error.
    static func last(_ path: String, _ verb: String) -> SafetensorsError {
        .system(path: path, verb: verb, code: errno)
    }

    /// Whether there is no such file.
    package var isMissing: Bool { if case .system(_, _, ENOENT) = self { true } else { false } }

    package var description: String {
        switch self {
        case .system(let path, let verb, let code): "\(path): cannot be \(verb): \(String(cString: strerror(code)))"
        case .file(let path, let problem): "\(path) \(problem)"
        case .header(let path, let problem):
            "\(path): the safetensors header \(problem); the file is damaged or of another format, write it again"
        case .tensor(let path, let name, let problem): "\(path): tensor '\(name)' \(problem)"
        }
    }
}
