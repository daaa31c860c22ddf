import Foundation
import Tensors

/// A file of `VAR=VALUE` lines: what the processes of one host need in their environment.
package enum EnvironmentFile {
    /// A variable.
    package struct Variable: Sendable, Equatable {
        /// Its name.
        package let name: String
        /// Its value, to the end of the line.
        package let value: String

        /// Both.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Parts of names that speak of a secret, which has no place in a command line that everybody on a host can read.
    private static let secrets = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]

    /// Reads a file, with all that is wrong in one error.
    package static func read(_ path: String) throws(HostFile.Failure) -> [Variable] {
        let text: String
        do {
            text = try Files.text(of: path)
        } catch {
            throw HostFile.Failure(
                description: "env=\(path): cannot be read (\(error)): name a file of this machine, from the hosts file "
                    + "or from /")
        }
        return try parse(text, path: path)
    }

    /// Reads a text.
    package static func parse(_ text: String, path: String) throws(HostFile.Failure) -> [Variable] {
        var variables: [Variable] = []
        var problems: [String] = []
        for (index, whole) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = whole.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if halves.count != 2 || !isName(halves[0]) {
                problems.append("\(path):\(index + 1): '\(halves[0])' is not understood: write VARIABLE=value")
            } else if secrets.contains(where: halves[0].uppercased().contains) {
                problems.append(
                    "\(path):\(index + 1): \(halves[0]) looks like a secret, and whoever is on that host can read "
                        + "command lines: leave it to a file there, and name the file")
            } else {
                variables.append(Variable(halves[0], halves[1]))
            }
        }
        guard problems.isEmpty else { throw HostFile.Failure(description: problems.joined(separator: "\n")) }
        return variables
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) || $0 == 95
        }
    }
}
