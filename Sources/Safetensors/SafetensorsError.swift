/// What is wrong with a file, where, and what to do.
package enum SafetensorsError: Error, CustomStringConvertible, Equatable {
    /// The file itself.
    case file(path: String, String)
    /// Its header.
    case header(path: String, String)
    /// One tensor.
    case tensor(path: String, name: String, String)

    package var description: String {
        switch self {
        case .file(let path, let problem): "\(path) \(problem)"
        case .header(let path, let problem):
            "\(path): the safetensors header \(problem); the file is damaged or of another format, write it again"
        case .tensor(let path, let name, let problem): "\(path): tensor '\(name)' \(problem)"
        }
    }
}
