import Foundation
import Telemetry
import Testing

@Suite struct FailureDiagnosisTests {
    @Test(
        "what a message speaks of",
        arguments: [
            ("checkpoint of step 20: run/x: cannot be written: No space left on device", FailureReport.Cause.diskFull),
            ("run/x.safetensors cannot be written: File too large", .diskFull),
            ("no memory for 4096 bytes of rows", .memory),
            ("the sender speaks version 9 of the protocol, this process 1; run the same release everywhere", .version),
            ("cannot listen on tcp://127.0.0.1:80: Address already in use.", .port),
            ("the scheduler at tcp://a:1 has been silent for 30 s: is it running?", .unreachable),
            ("the loss of step 3 is nan: lower the learning rate", .diverged),
            ("job.yaml:3: unknown key 'train.epohcs'", .config),
            ("world/train-00000.safetensors cannot be opened: No such file or directory", .data),
            ("interrupted", .interrupted), ("something else", .other),
        ])
    func causes(message: String, cause: FailureReport.Cause) {
        #expect(FailureDiagnosis.cause(of: message) == cause)
    }

    @Test("SIGKILL is the out-of-memory killer's only if that has struck")
    func kills() {
        #expect(FailureDiagnosis.death(bySignal: 9, outOfMemoryKills: 0, lastLines: []).cause == .killed)
        let struck = FailureDiagnosis.death(bySignal: 9, outOfMemoryKills: 1, lastLines: [])
        #expect(struck.cause == .memory && struck.what.contains("out-of-memory killer"))
        let crash = FailureDiagnosis.death(bySignal: 6, outOfMemoryKills: 1, lastLines: ["x", "no memory for 8 bytes"])
        #expect(crash.cause == .memory && crash.what.contains("SIGABRT"))
        #expect(FailureDiagnosis.death(bySignal: 11, outOfMemoryKills: 1, lastLines: []).cause == .killed)
    }

    @Test("silence is explained by the state of the process")
    func silence() {
        func what(_ state: ProcessState) -> String {
            FailureDiagnosis.silence(state, pid: 7, host: "far", seconds: 20).what
        }
        #expect(what(.state("T")).contains("is stopped (state T)"))
        #expect(what(.state("D")).contains("hangs in the kernel"))
        #expect(what(.state("S")).contains("exists (state S)"))
        #expect(what(.unknown).contains("on far (process 7) has been silent for 20 s"))
        #expect(FailureDiagnosis.silence(.gone, pid: 7, host: "far", seconds: 2).cause == .killed)
        #expect(
            ProcessState.of(pid: Int(getpid()), host: ProcessInfo.processInfo.hostName) == .state("R")
                || ProcessState.of(pid: Int(getpid()), host: ProcessInfo.processInfo.hostName) == .state("S"))
        #expect(ProcessState.of(pid: 1, host: "another host") == .unknown)
        #expect(ProcessState.of(pid: 1 << 30, host: ProcessInfo.processInfo.hostName) == .gone)
    }

    @Test("a remedy names the command that goes on with the run, and what a checkpoint of another model needs")
    func remedies() {
        var report = FailureReport(
            time: 0, cause: .killed, first: "worker 1", host: "a", pid: 7, what: "worker 1 was killed by signal 9",
            remedy: FailureDiagnosis.remedy(.killed, what: "signal 9"), step: 5)
        report = report.continued(by: "myriad train job.yaml --run r --continue")
        #expect(report.remedy.hasSuffix("then continue with: myriad train job.yaml --run r --continue"))
        #expect(report.continued(by: "other").remedy == report.remedy)
        let foreign =
            "r/checkpoints/step-1: table 'item' is wider. It was written by a job with another model or other optimizers"
        let remedy = FailureDiagnosis.remedy(.config, what: foreign)
        #expect(remedy.contains("the config that wrote it") && !remedy.contains("dataset"))
        #expect(!FailureDiagnosis.remedy(.data, what: "The checkpoint is damaged").contains("dataset"))
    }

    @Test("every cause has a remedy and a documented exit code", arguments: FailureReport.Cause.allCases)
    func remedies(cause: FailureReport.Cause) {
        #expect(FailureDiagnosis.remedy(cause, what: "", pid: 7).count > 10)
        #expect([65, 69, 70, 77, 130].contains(cause.exitCode))
    }

    @Test("a report is a block that names who, where, the last lines, the followers and the remedy")
    func block() {
        let unknown = FailureReport(
            time: 0, cause: .other, first: "scheduler", host: "h", pid: 0, what: "it failed", log: "s.log",
            remedy: "do", step: 0)
        #expect(
            unknown.lines == ["FAILED before the first step: it failed", "  its log: s.log", "  what to do: do"])
        let report = FailureReport(
            time: 0, cause: .killed, first: "worker 1", host: "h", pid: 7, what: "worker 1 was killed", log: "w.log",
            lastLines: ["a", "b"], followers: ["server 0 (told to stop)"], remedy: "do", step: 120)
        #expect(
            report.lines == [
                "FAILED after step 120: worker 1 was killed", "  process 7 on h; its log: w.log", "  | a", "  | b",
                "  followed: server 0 (told to stop)", "  what to do: do",
            ])
    }
}
