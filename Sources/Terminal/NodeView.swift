package import Telemetry

/// Every process of the job and what it does.
package enum NodeView {
    private static let columns: [TextTable.Column] = [
        .text("NODE", 100), .text("STATE", 95), .number("STEP", 80), .text("HOST", 40, shortest: 8),
        .number("PID", 60), .number("SILENT", 70), .number("CORES", 65), .number("MEMORY", 75),
        .number("PEAK", 30), .number("THREADS", 20), .number("FILES", 10), .number("WARN", 35),
        .text("ADDRESS", 25, shortest: 34), .steady("DOES", 90, shortest: 24),
    ]

    /// One row a process.
    package static func lines(_ status: ClusterStatus, width: Int) -> [Line] {
        let rows = status.nodes.map { node -> [Span] in
            let process = node.process
            return [
                Span(node.role == "scheduler" ? node.role : "\(node.role) \(node.rank)"),
                Span(state: node.state),
                Span(Quantity.exact(node.step)),
                Span(node.host),
                Span(node.pid > 0 ? String(node.pid) : Quantity.none),
                // After the end everybody is silent, and nobody cares.
                Span(status.isOver ? Quantity.none : Quantity.age(node.silentSeconds), silence(node, status)),
                Span(Quantity.ratio(node.cores)),
                Span(Quantity.bytes(process.residentBytes)),
                Span(Quantity.bytes(process.peakBytes)),
                Span(String(process.threads)),
                Span(String(process.openFiles)),
                Span(fault: node.warnings),
                Span(node.endpoints.joined(separator: " ")),
                // Who went in order does nothing any more; what a lost one did last is worth knowing.
                Span(status.isOver && node.state == .done ? Quantity.none : node.activity),
            ]
        }
        return TextTable(columns, rows).lines(width: width)
    }

    private static func silence(_ node: NodeStatus, _ status: ClusterStatus) -> Style {
        !status.isOver && node.silentSeconds > 5 ? .warning : .plain
    }
}
