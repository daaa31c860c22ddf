import Cluster
import Foundation
import Transport

extension Doctor {
    /// Whether the keys that would be used can be used.
    func keys() -> [Finding] {
        let directory = Access().keys.map { KeyDirectory($0) } ?? .standard
        guard directory.exists else { return [] }
        do {
            var known: [String] = []
            let files = FileManager.default
            if files.fileExists(atPath: directory.path + "/scheduler.key") {
                known.append("of scheduler \(try directory.scheduler().publicKey.short)")
                known.append("\(try directory.allowed().count) allowed")
            } else {
                known.append("for scheduler \(try directory.schedulerKey().short)")
            }
            known.append("node \(try directory.node().publicKey.short)")
            return [Finding("keys", .pass, "\(directory.path): \(known.joined(separator: ", "))")]
        } catch {
            return [
                Finding(
                    "keys", .fail, "\(error)",
                    remedy: "correct that, or move the directory away: roles that leave this machine would use it")
            ]
        }
    }
}
