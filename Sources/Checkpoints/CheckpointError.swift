import Foundation
import Tensors

/// Why a checkpoint cannot be written or read.
package enum CheckpointError: Error, CustomStringConvertible, Equatable {
    /// A file or directory cannot be written, or what was to be written does not fit.
    case write(path: String, String)
    /// The system did not let a file be read: nothing is known of what it holds.
    case read(path: String, String)
    /// There is no checkpoint where one was named.
    case missing(path: String)
    /// A file is not what the manifest says, or holds what no job can have written.
    case damaged(path: String, String)
    /// A newer or older release wrote it.
    case format(path: String, format: Int, release: String?)
    /// The checkpoint is of another model, other optimizers or another dataset.
    case mismatch(path: String, String)

    /// What a file's error means for a checkpoint that names the file.
    init(_ error: SafetensorsError) {
        switch error {
        case .system(let path, _, _) where error.isMissing: self = .damaged(path: path, "is missing")
        case .system(let path, let verb, let code):
            self = .read(path: path, "cannot be \(verb): \(String(cString: strerror(code)))")
        case .file(let path, let problem): self = .damaged(path: path, problem)
        case .header(let path, let problem): self = .damaged(path: path, "its header \(problem)")
        case .tensor(let path, let name, let problem): self = .damaged(path: path, "tensor '\(name)' \(problem)")
        }
    }

    /// The result of reading a file that belongs to a checkpoint.
    static func of<T>(_ read: () throws(SafetensorsError) -> T) throws(CheckpointError) -> T {
        do { return try read() } catch { throw CheckpointError(error) }
    }

    /// Whether what is there is not what was written: another checkpoint may do.
    package var isDamage: Bool { if case .damaged = self { true } else { false } }

    package var description: String {
        switch self {
        case .write(let path, let problem): "\(path): the checkpoint cannot be written: \(problem)"
        case .read(let path, let problem):
            "\(path): \(problem). This says nothing of the checkpoint: mend the cause and try again"
        case .missing(let path):
            "\(path) holds no checkpoint: name a run directory, or one of its checkpoints/step-* with a manifest.json"
        case .damaged(let path, let problem):
            "\(path): \(problem). The checkpoint is damaged: use the one before it"
        case .format(let path, let format, let release) where format > Manifest.currentFormat:
            "\(path): has the newer format \(format), and this release reads \(Manifest.currentFormat): it needs release "
                + "\(release ?? "of its writer") or later"
        case .format(let path, let format, _):
            "\(path): has the older format \(format), and this release reads \(Manifest.currentFormat): use the release "
                + "that wrote it"
        case .mismatch(let path, let problem): "\(path): \(problem)"
        }
    }
}
