package import Foundation
package import Telemetry

/// Writes a run's curves for TensorBoard: `events.out.tfevents.<time>.<host>.<pid>`, a TFRecord file of events.
///
/// Every record is handed to the system whole, so that a run that is killed leaves a file that can be read. An error of
/// the disk is told once and ends the writing, never the job.
package final class TensorBoardWriter {
    /// The file.
    package let path: String
    private var file: FileHandle?
    private let report: (String) -> Void

    /// Opens a file of its own in a directory, which is made if it is missing.
    ///
    /// - Parameters:
    ///   - resumedAt: the step that the job continues after: what older files say of later ones is withdrawn.
    ///   - report: told what went wrong, once.
    package init(
        directory: String, resumedAt step: Int? = nil, time: Double = Date().timeIntervalSince1970,
        host: String = ProcessInfo.processInfo.hostName, pid: Int = Int(ProcessInfo.processInfo.processIdentifier),
        report: @escaping (String) -> Void
    ) {
        // A host's name is not ours: no separator may lead out of the directory.
        let name = String(host.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
        path = "\(directory)/events.out.tfevents.\(Int(time)).\(name).\(pid)"
        self.report = report
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw CocoaError(.fileWriteNoPermission)
            }
            file = try FileHandle(forWritingTo: URL(filePath: path))
        } catch {
            fail(error)
        }
        write(TensorBoardEvent.version(time: time))
        if let step { write(TensorBoardEvent.restart(time: time, step: step.plus(1))) }
    }

    /// Writes into a file that is open already.
    package init(file: FileHandle, name: String, report: @escaping (String) -> Void) {
        path = name
        self.file = file
        self.report = report
        write(TensorBoardEvent.version(time: Date().timeIntervalSince1970))
    }

    /// Leaves the configuration for the tab "text".
    package func take(config: String, time: Double = Date().timeIntervalSince1970) {
        // Indented by four a text is code to Markdown, whatever it contains.
        let code = config.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
        write(TensorBoardEvent.text(code.joined(separator: "\n"), tag: "config", time: time))
    }

    /// Leaves a second of training.
    package func take(_ point: SeriesPoint, auxiliaryLoss: Double? = nil) {
        write(
            [
                ("train/loss", point.loss), ("train/auxiliary_loss", auxiliaryLoss), ("train/auc", point.auc),
                ("train/samples_per_second", point.samplesPerSecond), ("cluster/rows", Double(point.rows)),
                ("cluster/received_bytes_per_second", point.receivedBytesPerSecond),
                ("cluster/sent_bytes_per_second", point.sentBytesPerSecond), ("workers/read", point.read),
                ("workers/wait", point.wait), ("workers/compute", point.compute), ("workers/push", point.push),
            ], time: point.time, step: point.step)
    }

    /// Leaves the metrics of a split.
    package func take(_ score: EvaluationStatus) {
        write(
            [
                ("\(score.split)/auc", score.auc), ("\(score.split)/gauc", score.gauc),
                ("\(score.split)/log_loss", score.logLoss), ("\(score.split)/calibration", score.calibration),
            ], time: score.time, step: score.step)
    }

    private func write(_ values: [(tag: String, value: Double?)], time: Double, step: Int) {
        let known = values.compactMap { tag, value in value.map { (tag: tag, value: $0) } }
        write(TensorBoardEvent.scalars(known, time: time, step: step))
    }

    private func write(_ event: [UInt8]) {
        guard let file else { return }
        do {
            try file.write(contentsOf: Data(TensorBoardEvent.record(event)))
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: any Error) {
        file = nil
        report("\(path): cannot be written, so TensorBoard gets no more of this run: \(error.localizedDescription)")
    }
}
