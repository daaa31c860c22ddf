package import Telemetry

/// What is shown of a process.
package enum NodeColumns {
    /// Who it is, how it stands and what it does; then its figures.
    package static let main: [Column<NodeStatus>] = [
        .text("Process", 0, { "\($0.role) \($0.rank)" }),
        Column("Role", 100, kind: .text, isNarrow: true) { node, _ in Cell(node.role) },
        Column("Rank", 99, isNarrow: true) { node, _ in Cell(String(node.rank)) },
        .text("Host", 74, \.host, shortest: 8), .text("Address", 73, \.address, hint: "as the scheduler sees it"),
        Column("PID", 72) { node, _ in Cell(node.pid > 0 ? String(node.pid) : Quantity.none) },
        .state("State", 95, \.state.rawValue),
        Column("Inc", 78, hint: "starts of this role and rank") { node, _ in
            Cell(node.incarnation > 0 ? String(node.incarnation) : Quantity.none)
        }, .exact("Step", 80, \.step),
        Column("Memory", 75, hint: "resident") { node, _ in
            // Of a process that has not reported yet nothing is known.
            let bytes = node.process.residentBytes
            return Cell(bytes > 0 ? Quantity.bytes(bytes) : Quantity.none, exact: bytes)
        },
        Column("Does", 70, hint: "or waits for", kind: .words, shortest: 12, isSteady: true) { node, context in
            // Who went in order does nothing any more; what a lost one did last is worth knowing.
            Cell(context.status.isOver && node.state == .done ? Quantity.none : node.activity)
        },
        Column("Silent", 60, hint: "since it was heard of") { node, context in
            // After the end everybody is silent, and nobody cares.
            context.status.isOver
                ? Cell(Quantity.none)
                : Cell(Quantity.age(node.silentSeconds), node.silentSeconds > 5 ? .warning : .plain)
        },
        Column("Cores", 55, hint: "used over the last seconds; below: processor time in all") { node, _ in
            Cell(Quantity.ratio(node.cores), note: Quantity.duration(node.process.processorSeconds))
        }, .bytes("Peak", 30, \.process.peakBytes, hint: "of memory"),
        .count("Threads", 20, \.process.threads), .count("Files", 10, \.process.openFiles, hint: "open descriptors"),
        .fault("Warn", 35, \.warnings, hint: "log lines of level warning and error"),
        Column("Up") { node, context in
            let started = node.process.started
            return Cell(started > 0 ? Quantity.duration(context.status.time - started) : Quantity.none)
        }, .text("Listens on", 25, { $0.endpoints.joined(separator: " ") }, shortest: 34, kind: .words),
    ]

    /// The columns that say who is there and how each stands, without the figures of the processes.
    package static let brief = main.filter { $0.importance >= 70 }

    /// What is shown of a machine: its processes, which tell their memory each, threads of one process the same.
    package static let hosts: [Column<[NodeStatus]>] = [
        .text("Host", 0, { $0.first?.host ?? "" }), .count("Processes", 0, { processes($0).count }),
        .bytes("Peak memory", 0, { processes($0).total(\.peakBytes) }),
        Column("Processor time") { nodes, _ in
            Cell(Quantity.duration(processes(nodes).reduce(0) { $0 + $1.processorSeconds }))
        },
    ]

    @Sendable private static func processes(_ nodes: [NodeStatus]) -> [ProcessReport] {
        Dictionary(grouping: nodes, by: \.pid).values.compactMap {
            $0.map(\.process).max { $0.peakBytes < $1.peakBytes }
        }
    }
}
