import Foundation
import Telemetry
import Testing
import Yams

/// `cluster/kubernetes.yaml` against the program that it starts.
@Suite struct KubernetesTests {
    private let text: String
    private let objects: [Node]

    init() throws {
        text = try String(contentsOfFile: Script.root + "/cluster/kubernetes.yaml", encoding: .utf8)
        objects = try compose_all(yaml: text).map(\.self)
    }

    /// The only container of an object's pods.
    private func container(_ kind: String, _ name: String) throws -> Node {
        let object = objects.first { $0["kind"]?.string == kind && $0["metadata"]?["name"]?.string == name }
        return try #require(object?["spec"]?["template"]?["spec"]?["containers"]?.sequence?.first)
    }

    /// All containers, by role.
    private func containers() throws -> [(role: String, node: Node)] {
        [
            ("scheduler", try container("Job", "din-scheduler")),
            ("server", try container("StatefulSet", "din-server")),
            ("worker", try container("Job", "din-worker")),
        ]
    }

    @Test func theCommittedManifestIsWhatTheProgramWrites() throws {
        let result = try Script.program([
            "render", "kubernetes", "configs/din.yaml", "cluster.servers=2", "cluster.workers=4",
            "checkpoint.every=500",
        ])
        #expect(result.code == 0)
        let command =
            "myriad render kubernetes configs/din.yaml cluster.servers=2 cluster.workers=4 checkpoint.every=500"
        #expect(
            result.output == text,
            "after a change: \(command) -o cluster/kubernetes.yaml")
    }

    @Test func everyCommandIsOneThatTheProgramTakes() throws {
        for (role, container) in try containers() {
            let arguments = container["args"]?.sequence?.compactMap(\.string) ?? []
            #expect(container["command"]?.sequence?.compactMap(\.string) == ["myriad"])
            #expect(arguments.first == role)
            var environment: [String: String] = [:]
            for variable in container["env"]?.sequence.map(Array.init) ?? [] {
                environment[try #require(variable["name"]?.string)] = variable["value"]?.string ?? "1"
            }
            // Nobody is there: what is wrong is the place (69), the keys (77) or the config's file (65), not the command.
            environment["MYRIAD_SCHEDULER"] = "tcp://127.0.0.1:9"
            environment["MYRIAD_WAIT"] = "1"
            let result = try Script.program(arguments, environment: environment)
            #expect([65, 69, 77].contains(result.code), "\(arguments): \(result.code) \(result.errors)")
            let wrong = try Script.program(arguments + ["--no-such-flag"], environment: environment)
            #expect(wrong.code == 64)
        }
    }

    @Test func everyVariableIsReadByTheProgram() throws {
        let sources = try Script.sources()
        for (role, container) in try containers() {
            for variable in container["env"]?.sequence.map(Array.init) ?? [] {
                let name = try #require(variable["name"]?.string)
                let isRead = sources.contains("\"\(name)\"")
                #expect(isRead, "\(role): nothing reads \(name)")
            }
        }
        // What Kubernetes itself tells the workers.
        let isIndexRead = sources.contains("\"JOB_COMPLETION_INDEX\"")
        #expect(isIndexRead)
    }

    @Test func portsProbesAndCodesAreTheProgramsOwn() throws {
        let scheduler = try container("Job", "din-scheduler")
        let arguments = scheduler["args"]?.sequence?.compactMap(\.string) ?? []
        let ports = scheduler["ports"]?.sequence?.compactMap { $0["containerPort"]?.int } ?? []
        try #require(ports.count == 2)
        #expect(arguments.contains("tcp://0.0.0.0:\(ports[0])"))
        #expect(arguments.contains("monitor.page=0.0.0.0:\(ports[1])"))
        let service = objects.first {
            $0["kind"]?.string == "Service" && $0["metadata"]?["name"]?.string == "din-scheduler"
        }
        #expect(service?["spec"]?["ports"]?.sequence?.compactMap { $0["port"]?.int } == ports)
        for (role, container) in try containers() where role != "scheduler" {
            let address = container["env"]?.sequence?.first { $0["name"]?.string == "MYRIAD_SCHEDULER" }?["value"]?
                .string
            #expect(address == "tcp://din-scheduler:\(ports[0])")
        }
        let routes = try String(contentsOfFile: Script.root + "/Sources/Display/Page/Router.swift", encoding: .utf8)
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let path = try #require(scheduler[probe]?["httpGet"]?["path"]?.string)
            #expect(routes.contains("case \"\(path)\""), "the page does not answer \(path)")
        }
        var policies = 0
        for object in objects {
            guard let rules = object["spec"]?["podFailurePolicy"]?["rules"]?.sequence else { continue }
            policies += 1
            func codes(_ action: String) -> [Int] {
                rules.filter { $0["action"]?.string == action }
                    .flatMap { $0["onExitCodes"]?["values"]?.sequence?.compactMap(\.int) ?? [] }
            }
            // What stays wrong however often it is tried, and nothing else: a job that failed (70) may come back.
            #expect(codes("FailJob") == [ExitCodes.usage, .input, .keys].map { Int($0.rawValue) })
            #expect(codes("Ignore") == [Int(ExitCodes.stopped.rawValue)])
        }
        #expect(policies == 2)
    }

    @Test func podsMayDoNothingButTheirWork() throws {
        for (role, container) in try containers() {
            let security = try #require(container["securityContext"], "\(role)")
            #expect(security["readOnlyRootFilesystem"]?.bool == true, "\(role)")
            #expect(security["allowPrivilegeEscalation"]?.bool == false, "\(role)")
            #expect(security["capabilities"]?["drop"]?.sequence?.compactMap(\.string) == ["ALL"], "\(role)")
            #expect(container["imagePullPolicy"]?.string == "IfNotPresent", "\(role)")
        }
        let pods = objects.compactMap { $0["spec"]?["template"]?["spec"] }
        #expect(pods.count == 3)
        for pod in pods {
            #expect(pod["securityContext"]?["runAsNonRoot"]?.bool == true)
            #expect(pod["automountServiceAccountToken"]?.bool == false)
        }
    }

    @Test func withoutKeysThereIsNoSecretInTheFile() throws {
        #expect(!objects.contains { $0["kind"]?.string == "Secret" })
        #expect(text.contains("myriad keys create"))
        #expect(text.contains("kubectl create secret generic din-keys"))
    }

    @Test(arguments: [
        ["--name", "Din"], ["--namespace", "a_b"], ["--data-claim", "A"], ["--server-memory", "2 GB"],
        ["--data-path", "../x"],
    ])
    func whatKubernetesWouldRefuseIsRefusedHere(_ flag: [String]) throws {
        let result = try Script.program(["render", "kubernetes", "configs/din.yaml"] + flag)
        #expect(result.code == 64)
        #expect(result.errors.contains(flag[0]))
    }
}
