/// Processes, by role and rank.
extension Prometheus {
    static func nodes(_ status: ClusterStatus, _ page: inout Exposition) {
        let nodes = status.nodes.map {
            (labels: Labels().with("role", $0.role).with("index", String($0.rank)), value: $0)
        }
        var waits: [String: Double] = [:]
        for wait in status.waits { waits[wait.who] = max(waits[wait.who] ?? 0, wait.seconds) }
        page.add(
            nodes,
            [
                .init("node_state", "1 for the state that the node is in, 0 for the others.", by: "state") { node in
                    NodeStatus.State.allCases.map { ($0.rawValue, node.state == $0 ? 1 : 0) }
                },
                .init("node_step", "The step that the node has reached.", \.step),
                .init("incarnation", "Starts of the node's role and rank: it rises when the process is restarted.") {
                    $0.incarnation > 0 ? Int($0.incarnation) : nil
                },
                .init("node_last_heard_timestamp_seconds", "When the node was last heard of.") {
                    $0.state == .waiting ? nil : status.time - $0.silentSeconds
                },
                .init("node_wait_seconds", "For how long the node has been waiting for what it waits longest for.") {
                    waits["\($0.role) \($0.rank)"] ?? waits[$0.role] ?? 0
                },
                .init(
                    "node_clock_skew_seconds", "By how much the node's clock is ahead of the scheduler's.",
                    \.clockSkewSeconds),
                .init("warnings_total", "Log lines of level warning and error.", \.warnings),
                .init(
                    "refused_connections_total",
                    "Connections and nodes that were not let in: wrong or unknown keys, plaintext, garbage, too many, floods."
                ) { $0.role == "worker" ? nil : $0.turnedAway?.values.total ?? 0 },
            ])
        // Of a process that has not reported yet nothing is known; zeros would be wrong.
        page.add(nodes.filter { $0.value.process.started > 0 }, process)
    }

    /// What clients of Prometheus call `process_…` of the one process that is scraped, here of every node.
    private static var process: [Family<NodeStatus>] {
        [
            .init("up_since_timestamp_seconds", "When the node's process was started.", \.process.started),
            .init(
                "process_resident_memory_bytes", "Memory of the node's process that is resident.",
                \.process.residentBytes),
            .init("process_resident_memory_peak_bytes", "The most that was ever resident.", \.process.peakBytes),
            .init("process_threads", "Threads of the node's process.", \.process.threads),
            .init("process_open_fds", "Open file descriptors of the node's process.", \.process.openFiles),
            .init(
                "process_cpu_seconds_total", "User and system time of the node's process.", \.process.processorSeconds),
        ]
    }
}
