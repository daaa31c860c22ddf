import Foundation

/// A job as objects of Kubernetes: a ConfigMap, a Secret, the scheduler's Service and Job, a StatefulSet of servers with its
/// Service, and an Indexed Job of workers.
///
/// The text is written as a person would, with a comment where a line is not obvious.
struct KubernetesManifest: Sendable {
    let options: KubernetesOptions

    /// The scheduler's port for nodes, and its page's.
    static let port = 5555
    static let pagePort = 7165
    /// Seconds from TERM to the end by force: enough for a step and a checkpoint.
    static let grace = 120
    /// The user that the image runs as.
    static let user = 10001

    var name: String { options.name }
    var cluster: String { "\(name)-scheduler" }
    var secret: String { "\(name)-keys" }
    var run: String { "/runs/\(name)" }

    /// The whole file.
    var text: String {
        [head + configMap]
            .appending(options.keys.map(secret(of:)))
            .appending(schedulerService).appending(schedulerJob)
            .appending(serverService).appending(servers).appending(workers)
            .joined(separator: "---\n")
    }

    private var head: String {
        """
        # The job "\(name)" for Kubernetes (1.32 or newer), as printed by
        #   \(Self.line(options.command))
        # It wants the image \(Self.line(options.image)) (cluster/Dockerfile), a claim "\(options.dataClaim)" with the prepared data\(inClaim)
        # and a claim "\(options.runsClaim)" (ReadWriteMany) for run directories.
        \(options.keys == nil ? keysByHand : keysInside)
        # kubectl apply -f FILE starts it, kubectl logs -f job/\(name)-scheduler follows it, and kubectl delete -f FILE ends it:
        # pods that are told to end leave a checkpoint, and the job goes on from it when it is applied again.

        """
    }

    private var inClaim: String {
        options.dataPath.isEmpty ? "" : " in \(Self.line(options.dataPath))/"
    }

    private var keysByHand: String {
        let space = options.namespace.map { " --namespace \($0)" } ?? ""
        return """
            # Its keys and the token of its page stand in a Secret that is made once, with two commands:
            #   myriad keys create --keys keys
            #   kubectl create secret generic \(secret)\(space) --from-file=keys --from-literal=token=$(openssl rand -hex 16)
            """
    }

    private var keysInside: String {
        """
        # THIS FILE HOLDS SECRET KEYS: keep it as you keep them. Without --keys it refers to a Secret that is made by hand.
        """
    }

    private var configMap: String {
        """
        apiVersion: v1
        kind: ConfigMap
        \(metadata("\(name)-config"))
        data:
          job.yaml: |2
        \(Self.block(Self.config(options.text), indent: 4))

        """
    }

    private func secret(of keys: KubernetesKeys) -> String {
        let files = KubernetesKeys.names.map { "  \($0): \(Self.quoted(keys.files[$0] ?? ""))\n" }.joined()
        return """
            apiVersion: v1
            kind: Secret
            \(metadata(secret))
            type: Opaque
            stringData:
            \(files)  token: \(Self.quoted(keys.token))

            """
    }

    /// The metadata of an object, with the labels by which its pods are found.
    func metadata(_ object: String, _ component: String? = nil) -> String {
        """
        metadata:
          name: \(Self.quoted(object))\(options.namespace.map { "\n  namespace: \(Self.quoted($0))" } ?? "")
          labels:
        \(labels(component, indent: 4))
        """
    }

    /// The labels of the job, and of one of its parts.
    func labels(_ component: String?, indent: Int) -> String {
        let space = String(repeating: " ", count: indent)
        return
            (["app.kubernetes.io/name: myriad", "app.kubernetes.io/instance: \(Self.quoted(name))"]
            + (component.map { ["app.kubernetes.io/component: \($0)"] } ?? []))
            .map { space + $0 }.joined(separator: "\n")
    }

    /// A text of the user in double quotes, as JSON and YAML read it: bare, `on` and `2024` would be no text.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _
            where scalar.properties.isWhitespace && scalar != " " || scalar.properties.generalCategory == .control:
                result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A text of the user as the rest of a comment.
    static func line(_ text: String) -> String { text.split(whereSeparator: \.isNewline).joined(separator: " ") }

    /// The config with the line ends that a block of YAML has, and without the mark that some editors begin a file with.
    private static func config(_ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\n")
        return lines.hasPrefix("\u{feff}") ? String(lines.dropFirst()) : lines
    }

    /// Lines of a block of text, moved to the right.
    static func block(_ text: String, indent: Int) -> String {
        let space = String(repeating: " ", count: indent)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { $0.allSatisfy(\.isWhitespace) ? "" : space + $0 }.joined(separator: "\n")
    }
}

extension [String] {
    /// These and one more, if there is one.
    fileprivate func appending(_ text: String?) -> [String] { self + (text.map { [$0] } ?? []) }
}
