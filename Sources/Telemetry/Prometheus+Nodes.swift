/// Processes, by role and rank.
extension Prometheus {
    static func nodes(_ status: ClusterStatus, _ page: inout Exposition) {
        let nodes = status.nodes.map {
            Exposition.Subject(labels: Labels("role", $0.role).with("index", String($0.rank)), value: $0)
        }
        page.begin("myriad_node_state", .gauge, "1 for the state that the node is in, 0 for the others.")
        for node in nodes {
            for state in NodeStatus.State.allCases {
                page.add(node.labels.with("state", state.rawValue), node.value.state == state ? 1 : 0)
            }
        }
        var waits: [String: Double] = [:]
        for wait in status.waits { waits[wait.who] = max(waits[wait.who] ?? 0, wait.seconds) }
        page.gauges(
            nodes,
            [
                ("myriad_node_step", "The step that the node has reached.", { Double($0.step) }),
                (
                    "myriad_incarnation", "Starts of the node's role and rank: it rises when the process is restarted.",
                    { $0.incarnation > 0 ? Double($0.incarnation) : nil }
                ),
                (
                    "myriad_node_last_heard_timestamp_seconds", "When the node was last heard of.",
                    { $0.state == .waiting ? nil : status.time - $0.silentSeconds }
                ),
                (
                    "myriad_node_wait_seconds", "For how long the node has been waiting for what it waits longest for.",
                    { waits["\($0.role) \($0.rank)"] ?? waits[$0.role] ?? 0 }
                ),
                (
                    "myriad_node_clock_skew_seconds", "By how much the node's clock is ahead of the scheduler's.",
                    { $0.clockSkewSeconds }
                ),
            ])
        page.counters(nodes, [("myriad_warnings_total", "Log lines of level warning and error.", { $0.warnings })])
        page.counters(
            nodes.filter { $0.value.role != "worker" },
            [
                (
                    "myriad_refused_connections_total",
                    "Connections and nodes that were not let in: wrong or unknown keys, plaintext, garbage, too many, floods.",
                    { $0.turnedAway?.values.total ?? 0 }
                )
            ])
        processes(nodes, &page)
    }

    /// What clients of Prometheus call `process_…` of the one process that is scraped, here of every node.
    private static func processes(_ nodes: [Exposition.Subject<NodeStatus>], _ page: inout Exposition) {
        // Of a process that has not reported yet nothing is known; zeros would be wrong.
        let known = nodes.filter { $0.value.process.started > 0 }.map {
            Exposition.Subject(labels: $0.labels, value: $0.value.process)
        }
        page.gauges(
            known,
            [
                ("myriad_up_since_timestamp_seconds", "When the node's process was started.", { $0.started }),
                (
                    "myriad_process_resident_memory_bytes", "Memory of the node's process that is resident.",
                    { Double($0.residentBytes) }
                ),
                (
                    "myriad_process_resident_memory_peak_bytes", "The most that was ever resident.",
                    { Double($0.peakBytes) }
                ),
                ("myriad_process_threads", "Threads of the node's process.", { Double($0.threads) }),
                ("myriad_process_open_fds", "Open file descriptors of the node's process.", { Double($0.openFiles) }),
            ])
        page.begin(
            "myriad_process_cpu_seconds_total", .counter, "User and system time of the node's process.")
        for node in known { page.add(node.labels, node.value.processorSeconds) }
    }
}
