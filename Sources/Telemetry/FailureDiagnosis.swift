/// An error that knows which cause of failure it is.
package protocol FailureCausing: Error {
    /// What kind of failure.
    var cause: FailureReport.Cause { get }
    /// Whether somebody else is to blame.
    var isConsequence: Bool { get }
}

extension FailureCausing {
    package var isConsequence: Bool { false }
}

extension FailureReport.Cause {
    /// The cause of an error: its own word, or what its text speaks of.
    package init(of error: any Error) {
        self = (error as? any FailureCausing)?.cause ?? FailureDiagnosis.cause(of: "\(error)")
    }
}

/// Recognizes causes of failure, and knows what helps against each.
package enum FailureDiagnosis {
    /// Words by which a cause is known when the one that failed did not name it; the first that fit decide.
    private static let signs: KeyValuePairs<FailureReport.Cause, [String]> = [
        .interrupted: ["interrupted"],
        .diskFull: ["no space left", "file too large", "disk quota", "out of space", "isn\u{2019}t enough space"],
        .memory: [
            "no memory for", "cannot allocate memory", "out of memory", "out-of-memory", "failed to allocate",
            "could not allocate",
        ],
        .version: ["of the protocol", "run the same release", "runs version"],
        .keys: [
            "is not allowed", "scheduler.pub", "in plaintext", "keys create", "give it their directory with --keys",
        ],
        .port: ["cannot listen on", "address already in use", "cannot assign requested address"],
        .unreachable: ["has been silent", "cannot connect to", "connection refused", "did not join within"],
        .diverged: ["the loss of step", "is not finite: lower the learning rate"],
        .config: ["unknown key", "the job's configuration", "is not one of the", "have joined already"],
        .data: ["dataset", "safetensors", "no such file", "checkpoint is damaged"],
    ]

    /// The cause that a message speaks of.
    package static func cause(of message: String) -> FailureReport.Cause {
        let text = message.lowercased()
        return signs.first { $0.value.contains { text.contains($0) } }?.key ?? .other
    }

    /// Whether a message says that a process may open no more files.
    package static func isWantOfFiles(_ message: String) -> Bool { message.contains("open files") }

    /// What a signal is called.
    package static func name(ofSignal number: Int) -> String {
        let names = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
        ]
        return names[number] ?? "signal \(number)"
    }

    /// What the death of a process by a signal means, given how often the kernel's out-of-memory killer has struck on
    /// this machine meanwhile and the last lines of its log.
    package static func death(
        bySignal number: Int, outOfMemoryKills kills: Int, lastLines: [String]
    ) -> (what: String, cause: FailureReport.Cause) {
        let how = "was killed by signal \(number) (\(name(ofSignal: number)))"
        if number == 9, kills > 0 {
            return (how + ", most likely by the kernel's out-of-memory killer, which struck meanwhile", .memory)
        }
        if lastLines.contains(where: { cause(of: $0) == .memory }) { return (how + " when memory ran out", .memory) }
        return (how, .killed)
    }

    /// What a process that says nothing is doing, by its state.
    package static func silence(
        _ state: ProcessState, pid: Int, host: String, seconds: Int
    ) -> (what: String, cause: FailureReport.Cause) {
        let silent = "has been silent for \(seconds) s"
        let what: String
        switch state {
        case .gone: return ("is gone: process \(pid) ended without a word", .killed)
        case .state("T"), .state("t"): what = "\(silent) because its process \(pid) is stopped (state T)"
        case .state("D"): what = "\(silent): its process \(pid) hangs in the kernel (state D), on a disk, say"
        case .state(let letter): what = "\(silent) although its process \(pid) exists (state \(letter)): it hangs"
        case .unknown:
            what = "on \(host) (process \(pid)) \(silent): stopped or hung, or its machine or network is down"
        }
        return (what, .stopped)
    }

    /// How a run goes on; a report whose run is known names the whole command instead.
    package static let continuing = "continue with the same command, --run RUN and --continue"

    /// What to do against a cause.
    package static func remedy(_ cause: FailureReport.Cause, what: String, pid: Int = 0) -> String {
        switch cause {
        case .config where what.contains("/step-"):
            "name a checkpoint of this model, or train with the config that wrote it: it lies in the run's config.yaml, and "
                + "whole in the checkpoint's manifest.json"
        case .config:
            "correct what is named above and start again; `myriad config check` finds mistakes of a configuration"
        case .keys:
            "give every machine the keys of this cluster: scheduler.pub of the scheduler's key directory, and a node.key "
                + "whose public key `myriad keys allow` was told there; `myriad keys show` prints what a directory holds"
        case .version: "install the same release of myriad on every machine (`myriad --version`)"
        case .data where what.contains("checkpoint"):
            "name another checkpoint; `myriad checkpoint DIRECTORY` reads one whole and says what is wrong with it"
        case .data:
            "give every process the same dataset at data.directory, relative to where it was started, whole and "
                + "readable; if it is damaged, prepare it again with `myriad prepare`"
        case .port:
            "choose another port, or * for a free one, or stop the process that holds it (`ss -ltnp`); "
                + "`myriad doctor` names it"
        case .unreachable:
            "check that the scheduler runs, that every node was given its address as it is reached from there, and "
                + "that no firewall is between; then start those that are missing"
        case .killed:
            what.contains("signal 9") || what.contains("is gone")
                ? "find out who killed it (`dmesg`, the batch system, another user), then \(continuing)"
                : "this is a fault of the program or of a library: its log above says where; \(continuing), and "
                    + "report it with that log"
        case .stopped: stoppedRemedy(what, pid)
        case .memory:
            "give it more memory, or need less: more servers, rows.limit, a smaller model.embedding.width or "
                + "train.batch; `myriad doctor CONFIG` predicts what the tables take"
        case .tableLimit: "raise rows.limit (0 for none), or leave it: known ids go on learning, new ones do not"
        case .diskFull:
            "free space or name another disk with --run, then \(continuing): checkpoints that were complete "
                + "before are unharmed; checkpoint.keep and checkpoint.every bound what is written"
        case .diverged:
            "lower rows.optimizer.rate and dense.optimizer.rate, or look for absurd numeric features; checkpoints "
                + "from before are unharmed"
        case .interrupted: continuing
        case .other where isWantOfFiles(what):
            "raise the limit of open files of that process (`ulimit -n`, or LimitNOFILE of its service), then \(continuing)"
        case .other: "read the message and the log above"
        }
    }

    private static func stoppedRemedy(_ what: String, _ pid: Int) -> String {
        if what.contains("is stopped") {
            return "let it go on with `kill -CONT \(pid)` before cluster.silence is over, or end it with "
                + "`kill -9 \(pid)`; do not suspend (Ctrl-Z) processes of a job; \(continuing)"
        }
        if what.contains("hangs in the kernel") {
            return "look at the disk or network file system that it reads (`dmesg`, `cat /proc/\(pid)/stack`)"
        }
        return "look at its machine's load, memory and network; raise cluster.silence if it is only slow; "
            + continuing
    }
}

extension FailureReport {
    /// The code with which a program ends that failed like this.
    package var exitCode: Int32 { cause.exitCode }

    /// The report with the command that goes on with the run.
    package func continued(by command: String) -> FailureReport {
        var report = self
        report.remedy = remedy.split(separator: FailureDiagnosis.continuing, omittingEmptySubsequences: false).joined(
            separator: "continue with: \(command)")
        return report
    }

    /// The report as a person reads it.
    package var lines: [String] {
        var lines = ["FAILED \(step > 0 ? "after step \(step)" : "before the first step"): \(what)"]
        if pid > 0 {
            lines.append("  process \(pid) on \(host)" + (log.isEmpty ? "" : "; its log: \(log)"))
        } else if !log.isEmpty {
            lines.append("  its log: \(log)")
        }
        lines += lastLines.map { "  | \($0)" }
        if !followers.isEmpty { lines.append("  followed: \(followers.joined(separator: ", "))") }
        lines.append("  what to do: \(remedy)")
        return lines
    }
}
