import Foundation
import Telemetry
import Testing

@Suite struct ProcessStateTests {
    @Test("a process that has ended is gone, though its parent has not yet asked how")
    func ended() throws {
        var pid = pid_t(0)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        defer { free(arguments[0]) }
        try #require(posix_spawn(&pid, "/bin/true", nil, nil, &arguments, environ) == 0)
        let host = ProcessInfo.processInfo.hostName
        let deadline = ContinuousClock.now + .seconds(60)
        while ProcessState.of(pid: Int(pid), host: host) != .gone, .now < deadline { usleep(10_000) }
        #expect(ProcessState.of(pid: Int(pid), host: host) == .gone)
        #expect(ProcessState.of(pid: Int(pid), host: host + "x") == .unknown)
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
        if case .state = ProcessState.of(pid: Int(getpid()), host: host) {} else { Issue.record("this process lives") }
    }
}
