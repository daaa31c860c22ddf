import Checkpoints
import Foundation
import Tensors

/// The files of a directory of keys, as a Secret holds them.
struct KubernetesKeys: Sendable {
    /// The directory cannot be used.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the scheduler reads of the directory.
    static let ofScheduler = ["scheduler.key", "scheduler.pub", "allowed"]
    /// What servers and workers read of it: they never see the scheduler's secret.
    static let ofNodes = ["node.key", "node.pub", "scheduler.pub"]
    /// Every file, in the order in which they are written.
    static let names = ["allowed", "node.key", "node.pub", "scheduler.key", "scheduler.pub"]

    /// Content by file name.
    let files: [String: String]
    /// The page's token: it follows from the keys, so that rendering again gives the same file, and does not tell them.
    let token: String

    /// Reads a directory that `myriad keys create` made.
    init(directory: String) throws {
        var files: [String: String] = [:]
        for name in Self.names {
            do {
                files[name] = try Files.text(of: directory + "/" + name)
            } catch {
                throw Failure(description: "\(error); make keys with myriad keys create --keys \(directory)")
            }
        }
        self.files = files
        var hash = SHA256()
        hash.update("the page's token\n" + (files["scheduler.key"] ?? ""))
        token = String(hash.finish().prefix(32))
    }
}
