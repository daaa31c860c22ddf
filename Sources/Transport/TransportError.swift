/// Why a socket cannot be used.
package enum TransportError: Error, CustomStringConvertible, Equatable {
    /// An endpoint cannot be listened on.
    case bind(endpoint: String, String)
    /// An endpoint cannot be connected to.
    case connect(endpoint: String, String)
    /// A call failed for a reason that has nothing to do with an endpoint.
    case failed(String, String)

    package var description: String {
        switch self {
        case .bind(let endpoint, let problem):
            "cannot listen on \(endpoint): \(problem). Choose another port, or * for a free one, or stop the process "
                + "that holds it (ss -ltnp)."
        case .connect(let endpoint, let problem):
            "cannot connect to \(endpoint): \(problem). An endpoint is tcp://host:port, ipc://path or inproc://name."
        case .failed(let call, let problem): "\(call): \(problem)"
        }
    }
}
