import Telemetry
import Wire

/// Somebody who speaks the protocol and belongs to nobody: what he sends is well formed, and changes nothing.
struct Stranger {
    var random: Seeded
    let scenario: Scenario

    /// A message for the scheduler, under a header that names a member's place but not its process.
    mutating func control() -> Message {
        let step = random.pick(-1...20)
        let control: Control =
            switch random.pick(0...9) {
            case 0: .heartbeat(Heartbeat(step: step, state: "x"))
            case 1: .reached(Reached(from: step - random.pick(0...2), step: step))
            case 2: .stopped(NodeReport())
            case 3: .failed(Failure(role: .worker, rank: random.pick(0...4), message: "boo", checkpoint: step))
            case 4:
                .snapshotDone(
                    SnapshotDone(
                        step: step, shard: random.pick(0...8), file: "f", rows: 1, bytes: 1, checksum: "c",
                        partitions: [0],
                        tables: []))
            case 5: .leaving(Leaving(isInterrupt: true))
            case 6: .inspect(Inspect())
            case 7: .progress(Progress(step: step, samples: 9, loss: 1))
            case 8: .hello(hello())
            default: .probeWish(ProbeWish(number: 1, worker: random.pick(-1...9)))
            }
        return control.message(header(.hello)).with(
            ControlNumbers(number: UInt32(random.pick(0...5)), acknowledged: UInt32(random.pick(0...9))))
    }

    /// Of a process that was started for another job.
    private mutating func hello() -> Hello {
        var hello = Hello(
            role: random.oneIn(2) ? .worker : .server, wantedRank: random.pick(0...9), endpoints: ["inproc://x"],
            host: "stranger", pid: 1, processor: "p", blas: "b", version: "0")
        hello.job = "another"
        return hello
    }

    /// A message for a shard: of another job or epoch, of a worker that does not exist, or one that contradicts itself.
    mutating func data() -> Message {
        var header = header(.pull)
        header.role = .worker
        header.step = UInt32(random.pick(0...20))
        switch random.pick(0...3) {
        case 0: header.job = 1
        case 1: header.epoch = UInt32(random.pick(2...9))
        case 2: header.rank = UInt16(random.pick(scenario.workers...scenario.workers + 9))
        default: header.rank = UInt16(random.pick(0...scenario.workers - 1))
        }
        let counts = Payload(copying: [UInt32(1), 1])
        let ids = Payload(copying: [UInt64(random.pick(0...40)), UInt64(random.pick(0...40))])
        guard random.oneIn(2) else {
            return .pull(header, tableCounts: counts, ids: ids, dense: 0, evaluation: random.oneIn(2))
        }
        header.microBatches = UInt16(random.pick(0...9))
        // No subtree of these plans has so many samples.
        header.samples = UInt32(random.pick(100...200))
        header.subtree = UInt32(random.pick(0...9))
        header.keyListHash = UInt64(random.pick(0...1))
        return .push(
            header, tableCounts: counts, ids: random.oneIn(2) ? nil : ids,
            rowSamples: Payload(copying: [UInt32(1), 1]),
            gradients: Payload(copying: [Float](repeating: random.oneIn(2) ? .nan : 1, count: 8)), dense: .empty)
    }

    /// A real push, recorded and damaged in one place: all of it has to be refused.
    mutating func damaged(_ push: Message) -> Message {
        var message = push
        func floats(_ frame: Int) -> [Float] {
            let bytes = push.frames[frame].bytes
            return (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
        let frame = random.oneIn(2) ? 3 : 4
        var values = floats(frame)
        if values.isEmpty || random.oneIn(3) {
            // Ids of its own: one that no row has, or twice the same.
            let rows = Int(message.header.rows)
            message.header.flags = .keys
            message.frames[1] = Payload(copying: [UInt64](repeating: random.oneIn(2) ? 0 : 5, count: rows))
            // Of three rows in two tables two are of the same one.
            guard rows < 3 else { return message }
            message.header.samples += 1
        } else {
            values[random.pick(0...values.count - 1)] = random.oneIn(2) ? .nan : .infinity
            message.frames[frame] = Payload(copying: values)
        }
        return message
    }

    private mutating func header(_ kind: MessageKind) -> Header {
        Header(
            kind, role: Role.allCases[random.pick(0...3)], rank: UInt16(random.pick(0...9)),
            incarnation: UInt32(random.pick(1 << 20...1 << 30)), job: SimulatedJob.id, epoch: 1,
            request: UInt32(random.pick(1...9)))
    }
}
