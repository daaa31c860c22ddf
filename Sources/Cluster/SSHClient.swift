import Foundation
import Processes

/// What is known of ssh's client: how it is called, what its end means, what helps.
enum SSHClient {
    /// The code with which it ends when it failed itself; else it ends with that of the remote command.
    static let ownFailure: Int32 = 255

    /// The host that a name stands for in ssh's configuration; the name itself where ssh does not tell.
    static func hostName(_ host: RemoteHost, _ ssh: String) -> String {
        let plain = host.name.split(separator: "@").last.map(String.init) ?? host.name
        guard let text = output("\(ssh) -G \(ShellWord.quote(host.name))", seconds: 5) else { return plain }
        return SystemInfo.words(of: text, after: "hostname ") ?? plain
    }

    /// Runs a short command on a host; gives up after seconds.
    static func run(_ command: String, on host: RemoteHost, _ ssh: String) {
        let port = host.port.map { " -p \($0)" } ?? ""
        _ = output(
            "\(ssh) -T -n -o BatchMode=yes -o ConnectTimeout=2\(port) \(ShellWord.quote(host.name)) "
                + ShellWord.quote(command), seconds: 4)
    }

    /// What a command prints; nil when it fails or does not end in time.
    private static func output(_ line: String, seconds: Double) -> String? {
        let client = Child(Child.Setup("/bin/sh", ["-c", "exec " + line]))
        let pipe = Pipe()
        client.standardInput = .nullDevice
        client.standardOutput = pipe.fileHandleForWriting
        client.standardError = .nullDevice
        guard (try? client.run()) != nil else { return nil }
        try? pipe.fileHandleForWriting.close()
        let timer = DispatchWorkItem { client.kill() }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: timer)
        let data = try? pipe.fileHandleForReading.readToEnd()
        timer.cancel()
        client.waitUntilExit()
        guard let end = client.end, end.status == 0, !end.isKilled else { return nil }
        return data.map { String(decoding: $0, as: UTF8.self) }
    }

    /// How its lines begin when it has lost a connection.
    private static let losses = [
        "Timeout, server", "Connection to ", "Connection closed", "Connection reset", "client_loop:", "ssh:",
        "Disconnected", "Received disconnect", "Bad packet", "Corrupted MAC", "packet_write", "ssh_dispatch_run_fatal",
    ]

    /// Its own words at the end of a log that the remote process writes too.
    static func lastWords(in lines: [String]) -> String? {
        lines.suffix(3).last { line in losses.contains(where: line.hasPrefix) }
    }

    /// What helps against its failure to reach a host.
    static func remedy(_ words: String, host: String, _ ssh: String) -> String {
        let check = "then `\(ssh) \(host) true` must work from here without a question"
        let signs: [(words: [String], remedy: String)] = [
            (
                ["Host key verification failed", "IDENTIFICATION HAS CHANGED"],
                "compare the key of that host with its owner's word, and add it to known_hosts (log in once by hand, or "
                    + "ssh-keyscan); a job never accepts a key that is not known"
            ),
            (
                ["Permission denied", "Too many authentication failures", "no mutual signature"],
                "put the public key of this user into ~/.ssh/authorized_keys there (`ssh-copy-id \(host)`), or load it "
                    + "(`ssh-add`); a job asks for no password"
            ),
            (["Could not resolve"], "correct the host's name in the hosts file, or give its address"),
            (["Connection refused"], "start the ssh server of that host, or say its port= in the hosts file"),
            (
                ["timed out", "No route to host", "unreachable"],
                "see whether that host is up and no firewall is between, or take it out of the hosts file"
            ),
            (
                ["Connection closed", "Connection reset", "Not allowed"],
                "its ssh server turned the connection away: its log says why (MaxStartups, AllowUsers)"
            ),
        ]
        let found = signs.first { $0.words.contains(where: words.contains) }?.remedy
        return (found.map { $0 + "; " } ?? "read ssh's words above; ") + check
    }
}
