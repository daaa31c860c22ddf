import Display
import Foundation
import Telemetry
import Testing

@Suite struct TensorBoardTests {
    /// What `read_events.py` prints.
    struct Events: Decodable {
        let version: Double
        let scalars: [String: [[Double]]]
        let texts: [String: [String]]
    }

    /// What the real TensorBoard reads from a directory.
    static func read(_ directory: String) throws -> Events {
        let result = try Tools.script("read_events.py", directory)
        #expect(result.code == 0, "\(result.errors)")
        // Python writes NaN as JSON does not have it.
        let text = result.output.replacingOccurrences(of: "NaN", with: "-12345.5")
        return try JSONDecoder().decode(Events.self, from: Data(text.utf8))
    }

    private static func point(_ step: Int, loss: Double?) -> SeriesPoint {
        SeriesPoint(
            time: 1_700_000_000.25 + Double(step), step: step, samplesPerSecond: 1000.5 * Double(step), loss: loss,
            auc: step == 2 ? nil : 0.75, rows: 3_000_000_000 * step, receivedBytesPerSecond: 5e6,
            sentBytesPerSecond: 7e6, read: 0.1, wait: 0.2, compute: 0.3, push: 0.4)
    }

    private static func evaluation(_ split: String, _ step: Int) -> EvaluationStatus {
        EvaluationStatus(
            time: 1_700_000_100.5, split: split, step: step, samples: 9, auc: 0.625, gauc: nil, logLoss: 0.5,
            calibration: 1.25, isBest: true)
    }

    @Test("TensorBoard reads the tags, steps, times and values that were written", .enabled(if: Tools.hasPython))
    func readBack() throws {
        let directory = try Tools.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let writer = TensorBoardWriter(directory: directory, host: "a/../host", pid: 17) { Issue.record("\($0)") }
        #expect(writer.path.hasPrefix(directory + "/events.out.tfevents."))
        #expect(writer.path.hasSuffix(".a-..-host.17"))
        writer.take(config: "model:\n  kind: \"</textarea>\"")
        writer.take(Self.point(1, loss: 0.693), auxiliaryLoss: 0.25)
        writer.take(Self.point(2, loss: nil))
        writer.take(Self.point(300, loss: .nan))
        writer.take(Self.evaluation("validation", 2))
        writer.take(Self.evaluation("test", 300))

        let events = try Self.read(directory)
        #expect(events.version == 2)
        #expect(events.texts == ["config": ["    model:\n      kind: \"</textarea>\""]])
        let nan = -12345.5
        let steps: [(Double, Double)] = [1, 2, 300].map { (1_700_000_000.25 + $0, $0) }
        func expected(_ values: [Double]) -> [[Double]] {
            zip(steps, values).map { [$0.0, $0.1, $1.isNaN ? nan : Double(Float($1))] }
        }
        #expect(events.scalars["train/loss"] == [expected([0.693])[0], expected([0, 0, .nan])[2]])
        #expect(events.scalars["train/auxiliary_loss"] == [expected([0.25])[0]])
        #expect(events.scalars["train/auc"] == [expected([0.75])[0], expected([0, 0, 0.75])[2]])
        #expect(events.scalars["train/samples_per_second"] == expected([1000.5, 2001, 300_150]))
        #expect(events.scalars["cluster/rows"] == expected([3e9, 6e9, 9e11]))
        #expect(events.scalars["cluster/received_bytes_per_second"] == expected([5e6, 5e6, 5e6]))
        #expect(events.scalars["cluster/sent_bytes_per_second"] == expected([7e6, 7e6, 7e6]))
        for (name, share) in [("read", 0.1), ("wait", 0.2), ("compute", 0.3), ("push", 0.4)] {
            #expect(events.scalars["workers/\(name)"] == expected([share, share, share]))
        }
        for (split, step) in [("validation", 2.0), ("test", 300.0)] {
            #expect(events.scalars["\(split)/auc"] == [[1_700_000_100.5, step, 0.625]])
            #expect(events.scalars["\(split)/gauc"] == nil)
            #expect(events.scalars["\(split)/log_loss"] == [[1_700_000_100.5, step, 0.5]])
            #expect(events.scalars["\(split)/calibration"] == [[1_700_000_100.5, step, 1.25]])
        }
        #expect(events.scalars.count == 17)
    }

    @Test("a file that ends within a record is read up to there", .enabled(if: Tools.hasPython))
    func torn() throws {
        let directory = try Tools.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // Nothing closes the writer: the bytes must be with the system already.
        let writer = TensorBoardWriter(directory: directory) { Issue.record("\($0)") }
        for step in 1...3 { writer.take(Self.point(step, loss: 0.5)) }
        let data = try Data(contentsOf: URL(filePath: writer.path))
        try data.dropLast(5).write(to: URL(filePath: writer.path))
        #expect(try Self.read(directory).scalars["train/loss"]?.map { $0[1] } == [1, 2])
    }

    @Test("a resumed run withdraws the steps behind its checkpoint", .enabled(if: Tools.hasPython))
    func resumed() throws {
        let directory = try Tools.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let first = TensorBoardWriter(directory: directory, time: 1_700_000_000, pid: 1) { Issue.record("\($0)") }
        for step in 1...6 { first.take(Self.point(step, loss: 1)) }
        let second = TensorBoardWriter(directory: directory, resumedAt: 4, time: 1_700_000_100, pid: 2) {
            Issue.record("\($0)")
        }
        for step in 5...7 { second.take(Self.point(step, loss: 2)) }
        let loss = try #require(try Self.read(directory).scalars["train/loss"])
        #expect(loss.map { $0[1] } == [1, 2, 3, 4, 5, 6, 7])
        #expect(loss.map { $0[2] } == [1, 1, 1, 1, 2, 2, 2])
    }

    @Test("a disk that is full is told once and ends nothing")
    func full() throws {
        var complaints: [String] = []
        let full = try FileHandle(forWritingTo: URL(filePath: "/dev/full"))
        let writer = TensorBoardWriter(file: full, name: "events") { complaints.append($0) }
        for step in 1...3 { writer.take(Self.point(step, loss: 1)) }
        writer.take(Self.evaluation("test", 3))
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains("enough space") == true, "\(complaints)")
    }

    @Test("a directory that cannot be made is told once and ends nothing")
    func nowhere() throws {
        var complaints: [String] = []
        let writer = TensorBoardWriter(directory: "/dev/null/tensorboard") { complaints.append($0) }
        writer.take(Self.point(1, loss: 1))
        #expect(complaints.count == 1)
        #expect(complaints.first?.hasPrefix("/dev/null/tensorboard/events.out.tfevents.") == true, "\(complaints)")
    }
}
