import Job

/// Looks at a machine, and at what a job would need of it.
struct Doctor {
    /// What the machine is.
    var machine = Machine.read()
    /// The job, if one was named.
    var job: Job?
    /// Where runs are written.
    var directory = "runs"
    /// Ports of this machine that will be listened on: what for, and which.
    var ports = [(name: "scheduler", port: 5555), (name: "page", port: 7165)]

    /// All findings that need no running cluster.
    func examine() -> [Finding] {
        [build(), libraries(), processor(), threads(), files(), memory(), hugePages(), clock(), sockets(), disk()]
            + keys() + ports.map { port($0.name, $0.port) } + dataset()
    }
}
