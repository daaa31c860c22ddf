package import Job

/// Looks at a machine, and at what a job would need of it.
package struct Doctor {
    /// What the machine is.
    package var machine: Machine
    /// The job, if one was named.
    package var job: Job?
    /// Where runs are written.
    package var directory: String
    /// Ports of this machine that will be listened on: what for, and which.
    package var ports: [(name: String, port: Int)]

    /// A doctor of this machine.
    package init(
        machine: Machine = .read(), job: Job? = nil, directory: String = "runs",
        ports: [(name: String, port: Int)] = [("scheduler", 5555), ("page", 7165)]
    ) {
        self.machine = machine
        self.job = job
        self.directory = directory
        self.ports = ports
    }

    /// All findings that need no running cluster.
    package func examine() -> [Finding] {
        [build(), libraries(), processor(), threads(), files(), memory(), hugePages(), clock(), sockets(), disk()]
            + keys() + ports.map { port($0.name, $0.port) } + dataset()
    }
}
