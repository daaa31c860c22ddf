import Telemetry
import Testing
import Transport
import Wire

@testable import Scheduler

@Suite struct AddressesTests {
    private func hello(_ endpoints: [String], advertise: String? = nil, isPlaced: Bool? = nil) -> Hello {
        var hello = Hello(
            role: .server, wantedRank: 0, endpoints: endpoints, host: "h", pid: 1, processor: "p", blas: "b",
            version: "1")
        hello.advertise = advertise
        hello.isPlaced = isPlaced
        return hello
    }

    @Test("others are told the address that the scheduler saw, unless somebody said another")
    func placed() {
        let seen = "10.0.0.7"
        func told(_ hello: Hello, _ address: String = seen) -> [String] {
            Addresses.placed(hello, seenFrom: address).endpoints
        }
        #expect(
            told(hello(["tcp://192.168.1.2:71", "tcp://192.168.1.2:72"])) == ["tcp://10.0.0.7:71", "tcp://10.0.0.7:72"])
        #expect(told(hello(["tcp://0.0.0.0:71"], isPlaced: true)) == ["tcp://10.0.0.7:71"])
        #expect(told(hello(["tcp://192.168.1.2:71"], isPlaced: true)) == ["tcp://192.168.1.2:71"])
        #expect(
            told(hello(["tcp://192.168.1.2:71"], advertise: "gw.example", isPlaced: true)) == ["tcp://gw.example:71"])
        #expect(told(hello(["tcp://[fd00::9]:71"]), "fd00::7") == ["tcp://[fd00::7]:71"])
        #expect(told(hello(["ipc:///tmp/x"])) == ["ipc:///tmp/x"])
        #expect(told(hello(["tcp://127.0.0.1:71"]), "") == ["tcp://127.0.0.1:71"])
    }

    private func start(_ endpoint: String, workerFrom address: String, job: String? = nil) -> SchedulerLoop.Effects {
        let plan = JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .never)
        var options = SchedulerOptions(
            job: 5, servers: 1, shardsPerServer: 1, workers: 1, config: "", plan: plan, splits: [:], validation: nil,
            test: nil, checkpoints: nil)
        options.name = "alpha"
        var loop = SchedulerLoop(options, at: .now)
        var effects = SchedulerLoop.Effects()
        var worker = hello([])
        worker.role = .worker
        worker.job = job
        for (number, (hello, address)) in [(hello([endpoint], isPlaced: true), "127.0.0.1"), (worker, address)]
            .enumerated()
        {
            let header = Header(.hello, role: hello.role, rank: 0, incarnation: 1, job: 0, epoch: 0)
            loop.now = .now
            loop.receive(Control.hello(hello).message(header), from: [UInt8(number)], peer: .init(address: address))
            effects.take(from: &loop)
        }
        loop.now = .now + .seconds(1)
        loop.tick()
        effects.take(from: &loop)
        return effects
    }

    @Test("a server on loopback is found out at the start when a worker is elsewhere")
    func unreachable() throws {
        let failures = start("tcp://127.0.0.1:71", workerFrom: "10.0.0.4").events.compactMap {
            if case .failed(let report) = $0 { report } else { nil }
        }
        let report = try #require(failures.first)
        #expect(report.first == "server 0" && report.cause == .unreachable)
        #expect(report.what.contains("listens on tcp://127.0.0.1:71, which worker 0 at 10.0.0.4 cannot reach"))
        for (endpoint, address) in [("tcp://127.0.0.1:71", "127.0.0.1"), ("tcp://10.0.0.2:71", "10.0.0.4")] {
            let events = start(endpoint, workerFrom: address).events
            #expect(events.contains { if case .started = $0 { true } else { false } })
        }
    }

    @Test("a node of another job is refused with both names")
    func otherJob() {
        let effects = start("tcp://10.0.0.2:71", workerFrom: "10.0.0.4", job: "beta")
        let refusals = effects.actions.compactMap {
            if case .send(_, .stop(let stop), _) = $0, stop.isRefusal == true { stop.reason } else { nil }
        }
        #expect(refusals.count == 1 && refusals[0].contains("'beta'") && refusals[0].contains("'alpha'"))
        #expect(start("tcp://10.0.0.2:71", workerFrom: "10.0.0.4", job: "alpha").events.count > 2)
    }
}
