/// Why a dataset cannot be read or written.
package enum DatasetError: Error, CustomStringConvertible {
    /// The directory is not a dataset.
    case missing(directory: String, String)
    /// `dataset.yaml` does not say what it must.
    case info(path: String, String)
    /// A part of a split contradicts itself.
    case part(path: String, String)
    /// A history holds what came after its impression.
    case history(String)
    /// It is another dataset than the other processes of the job have.
    case foreign(directory: String, String)
    /// The file system refused.
    case file(path: String, String)

    package var description: String {
        switch self {
        case .missing(let directory, let problem):
            "\(directory): \(problem). Make it with `myriad prepare`, or name another directory (data.directory)."
        case .info(let path, let problem):
            "\(path): \(problem). Prepare the dataset again with this version of myriad."
        case .part(let path, let problem):
            "\(path): \(problem). The file is damaged or was made by another program: prepare the dataset again."
        case .history(let problem):
            "\(problem). The model would learn from what it is to predict: end each history before its impression."
        case .foreign(let directory, let what):
            "\(directory): is another dataset than the job's (\(what)). Give every process the same one."
        case .file(let path, let problem):
            "\(path): \(problem). Check the path, its permissions and the free space."
        }
    }
}
