package import Telemetry

/// Every process of the job and what it does: the one table of `status`, `top`, `launch` and `scheduler`.
package enum NodeView {
    private static let columns: [TextTable.Column] = [
        .text("ROLE", 100), .number("RANK", 99), .text("HOST", 74, shortest: 8), .text("ADDRESS", 73),
        .number("PID", 72), .text("STATE", 95), .number("INC", 78), .number("STEP", 80), .number("MEMORY", 75),
        .steady("DOES", 70, shortest: 12), .number("SILENT", 60), .number("CORES", 55), .number("PEAK", 30),
        .number("THREADS", 20), .number("FILES", 10), .number("WARN", 35), .text("LISTENS ON", 25, shortest: 34),
    ]

    /// How many of the columns say who is there and how each stands.
    private static let essential = 10

    /// One row a process.
    ///
    /// - Parameter isBrief: who is there and how each stands, without the figures of the processes.
    package static func lines(_ status: ClusterStatus, width: Int, isBrief: Bool = false) -> [Line] {
        let rows = status.nodes.map { row($0, status) }
        // Where nobody has an address there is nothing to show of them.
        let shown = columns.indices.prefix(isBrief ? essential : columns.count).filter { column in
            !columns[column].isText || rows.contains { !$0[column].text.isEmpty }
        }
        return TextTable(shown.map { columns[$0] }, rows.map { row in shown.map { row[$0] } }).lines(width: width)
    }

    private static func row(_ node: NodeStatus, _ status: ClusterStatus) -> [Span] {
        let process = node.process
        return [
            Span(node.role),
            Span(String(node.rank)),
            Span(node.host),
            Span(node.address),
            Span(node.pid > 0 ? String(node.pid) : Quantity.none),
            Span(state: node.state),
            Span(node.incarnation > 0 ? String(node.incarnation) : Quantity.none),
            Span(Quantity.exact(node.step)),
            // Of a process that has not reported yet nothing is known.
            Span(process.residentBytes > 0 ? Quantity.bytes(process.residentBytes) : Quantity.none),
            // Who went in order does nothing any more; what a lost one did last is worth knowing.
            Span(status.isOver && node.state == .done ? Quantity.none : node.activity),
            // After the end everybody is silent, and nobody cares.
            Span(status.isOver ? Quantity.none : Quantity.age(node.silentSeconds), silence(node, status)),
            Span(Quantity.ratio(node.cores)),
            Span(Quantity.bytes(process.peakBytes)),
            Span(String(process.threads)),
            Span(String(process.openFiles)),
            Span(fault: node.warnings),
            Span(node.endpoints.joined(separator: " ")),
        ]
    }

    private static func silence(_ node: NodeStatus, _ status: ClusterStatus) -> Style {
        !status.isOver && node.silentSeconds > 5 ? .warning : .plain
    }
}
