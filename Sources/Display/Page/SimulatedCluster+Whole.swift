import Telemetry

/// What concerns the cluster as a whole.
extension SimulatedCluster {
    func nodes(_ second: Int, _ step: Int) -> [NodeStatus] {
        let names =
            [("scheduler", 0)] + (0..<shards).map { ("server", $0) } + (0..<workers).map { ("worker", $0) }
        return names.enumerated().map { index, name in
            var node = NodeStatus()
            node.role = name.0
            node.rank = name.1
            node.state = .running
            node.host = "node-\(index / 8)"
            node.address = name.0 == "scheduler" ? "" : "10.0.\(index / 250).\(index % 250)"
            node.incarnation = 1
            node.pid = 1000 + index
            node.endpoints = name.0 == "server" ? ["tcp://10.0.1.\(name.1):7000"] : []
            node.step = step
            node.activity = name.0 == "worker" ? "computes step \(step + 1)" : ""
            node.silentSeconds = 0.2
            node.clockSkewSeconds = name.0 == "scheduler" ? nil : -0.001
            node.cores = name.0 == "worker" ? 0.9 : 0.4
            node.process.residentBytes = 300 << 20
            node.process.peakBytes = 320 << 20
            node.process.processorSeconds = 0.9 * Double(second)
            node.process.threads = 4
            node.process.openFiles = 40
            node.process.started = began
            return node
        }
    }

    func evaluations(_ second: Int) -> [EvaluationStatus] {
        let count = second / 60
        return (0..<count).map { index in
            let gain: Double = 0.1 - 0.1 / Double(index + 2)
            let time: Double = began + 65 + Double(60 * index)
            return EvaluationStatus(
                time: time, split: "validation", step: 2400 * (index + 1), samples: 100_000, auc: 0.62 + gain,
                gauc: 0.6 + gain, logLoss: 0.55 - 0.002 * Double(index), calibration: 1.01, isBest: index == count - 1)
        }
    }

    func events(_ second: Int) -> [EventStatus] {
        var events = (0..<min(64, shards + workers)).map {
            EventStatus(
                time: began + 0.05 * Double($0), kind: .joined,
                text: $0 < shards ? "server \($0) of node-\($0 / 8)" : "worker \($0 - shards) of node-\($0 / 8)",
                step: 0)
        }
        events.append(EventStatus(time: began + 5, kind: .started, text: "training began", step: 0))
        for minute in 0..<second / 60 {
            let time = began + 65 + 60 * Double(minute)
            let step = 2400 * (minute + 1)
            events.append(EventStatus(time: time, kind: .evaluated, text: "validation scored", step: step))
            events.append(
                EventStatus(time: time + 2, kind: .checkpoint, text: "checkpoint of step \(step)", step: step))
        }
        return Array(events.suffix(500))
    }
}
