import Testing

/// Clusters between hosts with own addresses, which are network namespaces of this machine.
@Suite(.serialized)
struct NetworkTests {
    @Test("every shape of cluster on four hosts gives the bits of one process, with keys, without, and over IPv6")
    func bits() throws { try Script.check("netns-test.sh", "bits") }

    @Test("what crosses the network of a cluster with keys holds no id, no config and no name")
    func capture() throws { try Script.check("netns-test.sh", "capture") }

    @Test("what is dead, unreachable or wrong between hosts is named on the right side")
    func faults() throws { try Script.check("netns-test.sh", "faults") }

    /// By hand the script sends 10,000.
    @Test("two thousand strangers leave a training cluster as it is", arguments: ["keys", "plain"])
    func strangers(kind: String) throws {
        try Script.check("strangers-test.sh", kind, environment: ["STRANGERS": "2000", "FOR": "4"])
    }
}
