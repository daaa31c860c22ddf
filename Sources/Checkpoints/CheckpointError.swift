/// Why a checkpoint cannot be written or read.
package enum CheckpointError: Error, CustomStringConvertible, Equatable {
    /// A file or directory cannot be written.
    case write(path: String, String)
    /// There is no checkpoint where one was named.
    case missing(path: String)
    /// A file is not what the manifest says.
    case damaged(path: String, String)
    /// The checkpoint is of another model or other options.
    case mismatch(path: String, String)

    package var description: String {
        switch self {
        case .write(let path, let problem): "\(path): cannot be written: \(problem)"
        case .missing(let path):
            "\(path) holds no checkpoint: name a run directory, or one of its checkpoints/step-* with a manifest.json"
        case .damaged(let path, let problem):
            "\(path): \(problem). The checkpoint is damaged: use the one before it"
        case .mismatch(let path, let problem):
            "\(path): \(problem). It was written by a job with another model or other optimizers"
        }
    }
}
