/// Why a socket cannot be used.
package enum TransportError: Error, CustomStringConvertible, Equatable {
    /// An endpoint cannot be listened on.
    case bind(endpoint: String, String)
    /// An endpoint cannot be connected to.
    case connect(endpoint: String, String)
    /// A text is no endpoint.
    case endpoint(String)
    /// What would be said there would leave this machine unencrypted.
    case plaintext(endpoint: String, listens: Bool)
    /// The handler of keys let somebody in whom nobody allowed.
    case notGuarded(String)
    /// A call failed for a reason that has nothing to do with an endpoint.
    case failed(String, String)

    package var description: String {
        switch self {
        case .bind(let endpoint, let problem):
            "cannot listen on \(endpoint): \(problem). Choose another port, or * for a free one, or stop the process "
                + "that holds it (ss -ltnp)."
        case .connect(let endpoint, let problem):
            "cannot connect to \(endpoint): \(problem). An endpoint is tcp://host:port, ipc://path or inproc://name."
        case .endpoint(let text):
            "'\(text)' is no endpoint: an endpoint is tcp://host:port (or host:port; port * for a free one; IPv6 in "
                + "brackets), ipc://path or inproc://name"
        case .plaintext(let endpoint, let listens):
            "\(listens ? "listening on" : "connecting to") \(endpoint) would leave this machine in plaintext: make keys "
                + "(`myriad keys create`) and give their directory with --keys on every machine, or allow it with "
                + "--insecure in a network that you trust"
        case .notGuarded(let problem):
            "the check of keys at the start failed: \(problem). Nothing is opened to the network. Report this with the "
                + "version of libzmq (`myriad doctor`); until then use --insecure in a trusted network only"
        case .failed(let call, let problem): "\(call): \(problem)"
        }
    }
}
