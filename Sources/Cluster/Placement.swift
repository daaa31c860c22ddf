package import Scheduler
package import Telemetry
import Wire

/// Which process runs on which machine: a function of the hosts file alone.
package enum Placement {
    /// A process and its machine.
    package struct Place: Sendable, Equatable {
        package let member: Member
        package let host: RemoteHost
    }

    /// Places servers, over as many machines as there are, then workers in the slots that are left, in the file's order.
    ///
    /// Machines for servers alone come first, and no server takes a slot without which a worker would have none.
    package static func place(
        servers: Int, workers: Int, on file: HostFile
    ) throws(Complaint) -> [Place] {
        let hosts = file.hosts
        func slots(_ role: RemoteHost.Role) -> Int { hosts.filter { $0.role == role }.reduce(0) { $0 + $1.slots } }
        let (server, worker, any) = (slots(.server), slots(.worker), slots(.any))
        let enough = servers <= server + any && workers <= worker + any && servers + workers <= server + worker + any
        guard enough else {
            let total = "\(server + worker + any) slots"
            let kinds =
                server + worker > 0 ? "\(total) (\(server) for servers, \(worker) for workers, \(any) for any)" : total
            throw Complaint.config(
                "\(file.path): has \(kinds), and \(count(servers, "server")) and "
                    + "\(count(workers, "worker")) need one each: add hosts, raise slots=, or ask for fewer with "
                    + "--servers and --workers")
        }
        var free = hosts.map(\.slots)
        var spare = any - max(0, workers - worker)
        var places: [Place] = []
        let order =
            hosts.indices.filter { hosts[$0].role == .server } + hosts.indices.filter { hosts[$0].role == .any }
        while places.count < servers {
            for index in order where places.count < servers && free[index] > 0 {
                if hosts[index].role == .any {
                    guard spare > 0 else { continue }
                    spare -= 1
                }
                free[index] -= 1
                places.append(Place(member: Member(role: .server, rank: places.count), host: hosts[index]))
            }
        }
        var rank = 0
        for index in hosts.indices where hosts[index].role != .server {
            while free[index] > 0, rank < workers {
                free[index] -= 1
                places.append(Place(member: Member(role: .worker, rank: rank), host: hosts[index]))
                rank += 1
            }
        }
        return places
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
