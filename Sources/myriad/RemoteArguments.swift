import ArgumentParser
import Cluster
import Foundation
import Job

/// What `launch` has to know of other machines.
struct RemoteArguments: ParsableArguments {
    @Option(help: "A file with one host a line: start the processes there, by ssh.")
    var hosts: String?

    @Flag(help: "Print the commands that would start the processes of --hosts, and start nothing.")
    var dryRun = false

    @Option(help: "The ssh client and its options, such as \"ssh -F file\" (MYRIAD_SSH; ssh).")
    var ssh: String?

    @Option(
        help: """
            Where the scheduler listens, by an address that the hosts reach: host:port; by default the address by which \
            this machine reaches the first host, and a free port (MYRIAD_LISTEN).
            """)
    var listen: String?

    @Option(
        help: """
            Seconds in which a process has to begin on its host, and in which it then has to reach the scheduler \
            (MYRIAD_WAIT; 12).
            """)
    var wait: Double?

    func validate() throws {
        _ = try Variable.wait(wait)
        guard hosts == nil else { return }
        let lonely = [
            ("--dry-run", dryRun), ("--ssh", ssh != nil), ("--listen", listen != nil), ("--wait", wait != nil),
        ]
        if let (name, _) = lonely.first(where: \.1) {
            throw ValidationError("\(name) has a meaning only with --hosts: name a file of hosts")
        }
    }

    /// The machines of the hosts file, if there is one.
    func site(_ job: Job, program: String, _ access: Access) throws -> RemoteHosts? {
        guard let hosts else { return nil }
        return try Exit.attempt {
            try RemoteHosts(
                job, on: try HostFile(path: hosts), ssh: ssh ?? Variable.text("MYRIAD_SSH") ?? "ssh",
                listen: listen ?? Variable.text("MYRIAD_LISTEN"), program: program,
                wait: .seconds(try Variable.wait(wait)), access: access)
        }
    }
}
