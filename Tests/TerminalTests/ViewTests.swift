import Display
import Foundation
import Telemetry
import Testing

@Suite struct ViewTests {
    private let live = Moment(now: Simulated.time + 0.25, isLive: true)
    private let stored = Moment(now: Simulated.time + 600, isLive: false)

    /// Every view of a status.
    private func all(_ status: ClusterStatus, _ moment: Moment, width: Int) -> [Line] {
        Scene(status, at: moment, width: width).whole + Scene(status, at: moment, width: width).shards
            + Scene(status, width: width).workers + Scene(status, width: width).waits
            + status.tables.flatMap { Scene(status, width: width).hotIds($0, count: 20) }
            + status.shards.prefix(3).flatMap { Scene(status, at: moment, width: width).shard($0) }
            + [StatView.header(width: width), StatView.line(StatPoint(status, since: nil), width: width)]
    }

    @Test("no line is wider than the terminal, for clusters of any size", arguments: [20, 40, 80, 120, 200])
    func widths(width: Int) {
        for status in [
            Simulated.status(), Simulated.status(shards: 64, workers: 256), Simulated.finished(), ClusterStatus(),
            Simulated.failed(),
        ] {
            for moment in [live, stored] {
                for line in all(status, moment, width: width) {
                    #expect(line.width <= width, "\(line.text)")
                    #expect(Glyphs.width(of: line.text) <= width)
                }
            }
        }
    }

    @Test("of several states that were the best in their time the last is shown")
    func best() throws {
        var status = Simulated.status()
        var next = try #require(status.evaluations.first)
        (next.step, next.auc) = (1100, 0.9333)
        status.evaluations.append(next)
        (next.step, next.auc, next.isBest) = (1150, 0.9111, false)
        status.evaluations.append(next)
        let text = Scene(status, at: live, width: 200).whole.map(\.text).joined(separator: "\n")
        #expect(text.contains("best AUC 0.9333") && text.contains("newest AUC 0.9111 at step 1,150"), "\(text)")
    }

    @Test("a table's columns stand below each other")
    func alignment() throws {
        let lines = Scene(Simulated.status(), at: live, width: 200).shards.map(\.text)
        let header = try #require(lines.first)
        for title in ["ROWS", "MEMORY", "PULL/s", "BUSY", "QUEUE"] {
            let end = try #require(header.range(of: title)).upperBound
            let column = header.distance(from: header.startIndex, to: end)
            for line in lines[1...4] {
                // A number ends where its title ends, and two columns are apart.
                #expect(line.count >= column)
                let characters = Array(line)
                #expect(characters[column - 1] != " ")
                #expect(column == characters.count || characters[column] == " ")
            }
        }
    }

    @Test("shards show rows, memory, rates, times, waits and the skew")
    func shards() {
        let status = Simulated.status()
        let text = Scene(status, at: live, width: 250).shards.map(\.text)
        let shard = status.shards[1].report
        // Of the values 20 µs … 2.01 ms.
        #expect(abs(shard.pullSeconds.p99 / 0.00199 - 1) < 0.04)
        let times = "\(Quantity.milliseconds(shard.pullSeconds.p50))/\(Quantity.milliseconds(shard.pullSeconds.p99))"
        let fields = text[2].split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(
            fields == [
                "1", "0", "running", "tcp://10.0.0.1:5001", "1,204", "1.24 M", "208 MB", "307", "76.7", "8.00", "7.22",
                times, Quantity.milliseconds(shard.applySeconds.p99), "3", "1", "2", "1", "49 %", "12 s ago", "1", "3",
            ])
        #expect(text.contains("skew (largest/mean): rows 1.01, memory 1.02, pulls 1.21, traffic 1.30, busy 1.38"))
        #expect(text.contains("hot: id 18446744073709551615 of item is 8.7 % of the ids in samples (shard 0)"))
        #expect(text.contains("shard 1: step 1205 waits for micro-batches 4..<8 of worker 1 (0.3 s)"))
    }

    @Test("one shard shows every count in full, by sender and by reason")
    func detail() {
        let status = Simulated.status()
        let text = Scene(status, at: live, width: 200).shard(status.shards[1]).map(\.text).joined(
            separator: "\n")
        for part in [
            "18,413 (307/s), 6,000,000 rows", "480,000,000 B (pulls 48.0 MB, pushes 432 MB; 8.00 MB/s)",
            "worker 2: 3", "rate: 2", "1 duplicates", "1,241,312", "worker 0 for step 1205 since 0.3 s",
            "0 steps: 900, 1 steps: 80, 2 steps: 20", "89.3 MB",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test("workers show where their time goes and whom they wait for")
    func workers() {
        let text = Scene(Simulated.status(), width: 250).workers.map(\.text)
        let fields = text[1].split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(
            fields.prefix(10) == [
                "0", "running", "node-0", "1,205", "22,562", "15 %", "20 %", "63 %", "2.0 %", "× 4.50",
            ])
        #expect(fields.last == "shard 1 71 %")
    }

    @Test("hot ids show count, error and share, and the error of the distinct count")
    func hotIds() {
        let text = Scene(Simulated.status(), width: 200).hotIds(Simulated.status().tables[0], count: 3).map(\.text)
        #expect(text.count == 5)
        #expect(text[0].contains("item: ~5.00 M distinct ids pulled (± 1.6 % standard error)"))
        #expect(text[2].split(separator: " ") == ["1", "18446744073709551615", "783,000", "exact", "8.7", "%", "0"])
        #expect(text[3].split(separator: " ") == ["2", "18446744073709551614", "782,000", "≤", "7", "8.6", "%", "1"])
    }

    @Test("a finished run says when it ended and what its rates are means of, a running one when it will end")
    func means() {
        let status = Simulated.finished()
        let text = Scene(status, at: stored, width: 200).whole.map(\.text).joined(separator: "\n")
        #expect(text.contains("din-1  finished  step 1,204 of 3,000"))
        #expect(
            text.contains("finished at \(Quantity.date(Simulated.time)), 10 min ago; rates are means over 1 min 40 s"))
        #expect(!text.contains("ETA") && !text.contains("worker 1  7.5 s"))
        #expect(Scene(Simulated.status(), at: live, width: 200).whole[0].text.hasSuffix("ETA 27 s"))
    }

    @Test("a run that is read from its files says how old they are")
    func age() {
        let fresh = Moment(now: Simulated.time + 3, isLive: false)
        #expect(Scene(Simulated.status(), at: fresh, width: 200).whole.map(\.text)[1].contains("as of 3 s ago"))
    }

    @Test("a failure names who was first, how, the last lines, who followed and the remedy")
    func failure() {
        let text = Scene(Simulated.failed(), at: stored, width: 200).whole.map(\.text).joined(separator: "\n")
        for part in [
            "worker 1: was killed by signal 9", "host node-1, process 4001", "cause: killed", "worker 0, server 0",
            "remedy       look at the memory", "runs/din-1/logs/worker-1.log", "    the last line",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test("a hostile host name reaches no terminal")
    func hostile() {
        var status = Simulated.status()
        status.nodes[1].host = "\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\n"
        status.job.name = "a\u{1b}[31m\nb"
        status.waits[0].name = "\u{9b}2J"
        status.events[11].text = "\u{1b}c"
        status.limitedBy = "\r\u{1b}[A"
        for line in all(status, live, width: 200) {
            #expect(
                line.colored.replacing(/\u{1b}\[(\d+;)*\d*m/, with: "").unicodeScalars.allSatisfy { $0.value >= 32 })
            #expect(line.text.unicodeScalars.allSatisfy { $0.value >= 32 && !(0x7f...0x9f ~= $0.value) })
        }
    }

    @Test("the lines of stat are differences of counters between two moments")
    func stat() {
        let before = Simulated.status()
        var after = before
        after.time += 2
        after.job.step += 10
        after.job.samples += 10_240
        for index in after.shards.indices {
            after.shards[index].report.pulls += 30
            after.shards[index].report.pushes += 20
            after.shards[index].report.pushBytes += 1_000_000
            after.shards[index].report.valueBytes += 3_000_000
            after.shards[index].report.tables[0].rows += 25
        }
        let point = StatPoint(after, since: before)
        #expect(point.steps == 10 && point.samplesPerSecond == 5120 && point.newRows == 100)
        #expect(point.pullsPerSecond == 60 && point.pushesPerSecond == 40)
        #expect(point.receivedBytesPerSecond == 2e6 && point.sentBytesPerSecond == 6e6)
        let fields = StatView.line(point, width: 160).text.split(separator: "  ").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        #expect(
            fields == [
                Quantity.clock(after.time), "1,214", "+10", "5,120", "0.4123", "0.8124", "4.97 M", "+100", "60.0",
                "40.0",
                "2.00", "6.00", "20 %", "compute of worker 1 (91 %)",
            ])
        // A restarted server counts anew: its own rates then, never a negative one.
        after.shards[0].report.pulls = 0
        #expect(StatPoint(after, since: before).pullsPerSecond == 4 * 306.9)
    }

    @Test("the table of processes tells who is there and how each stands, also where 80 columns are all there is")
    func processes() {
        var status = Simulated.status(shards: 4, workers: 2)
        (status.nodes[1].state, status.nodes[1].incarnation) = (.restarted, 2)
        status.nodes[3].state = .lost
        status.nodes[4] = NodeStatus()
        (status.nodes[4].role, status.nodes[4].rank) = ("worker", 1)
        #expect(
            Scene(status, width: 120).briefNodes.map(\.text) == [
                "ROLE       RANK  HOST    ADDRESS    PID  STATE      INC   STEP   MEMORY  DOES",
                "scheduler     0  node-0            4000  running      1  1,204  82.0 MB  answers",
                "server        0  node-0  10.0.0.0  4000  restarted    2  1,204  82.0 MB  answers",
                "server        1  node-1  10.0.0.1  4001  running      1  1,204  82.0 MB  answers",
                "worker        0  node-0  10.0.0.0  4000  lost         1  1,204  82.0 MB  waits for values of shard 1 for step 1205",
                "worker        1                       -  waiting      -      0        -",
            ])
        #expect(
            Scene(status, width: 80).briefNodes.map(\.text) == [
                "ROLE       RANK  HOST    ADDRESS    PID  STATE      INC   STEP   MEMORY",
                "scheduler     0  node-0            4000  running      1  1,204  82.0 MB",
                "server        0  node-0  10.0.0.0  4000  restarted    2  1,204  82.0 MB",
                "server        1  node-1  10.0.0.1  4001  running      1  1,204  82.0 MB",
                "worker        0  node-0  10.0.0.0  4000  lost         1  1,204  82.0 MB",
                "worker        1                       -  waiting      -      0        -",
            ])
        // Over ipc nobody has an address, and there is room for what each does.
        for index in status.nodes.indices { status.nodes[index].address = "" }
        #expect(
            Scene(status, width: 80).nodes.map(\.text)[0...1] == [
                "ROLE       RANK  HOST     PID  STATE      INC   STEP   MEMORY  DOES",
                "scheduler     0  node-0  4000  running      1  1,204  82.0 MB  answers",
            ])
        let over = Simulated.finished(shards: 1, workers: 1)
        #expect(
            Scene(over, width: 80).briefNodes.map(\.text).last
                == "worker        0  node-0  10.0.0.0  4000  done     1  1,204  82.0 MB")
    }
}
