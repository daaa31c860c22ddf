/// Why the page cannot be served.
package enum PageError: Error, Equatable, CustomStringConvertible {
    /// The address is no `host:port` with a numeric host.
    case badAddress(String)
    /// Somebody else listens there.
    case taken(String)
    /// The address cannot be bound for another reason.
    case unavailable(String, reason: String)
    /// Others than this machine could reach the page, and nothing would stop them.
    case needsToken(String)
    /// A token with characters that a header or cookie cannot carry, or too short to be a secret.
    case badToken

    package var description: String {
        switch self {
        case .badAddress(let address):
            "page address \"\(address)\": want auto, off, or host:port with an IP address (or localhost) as the host, "
                + "such as 127.0.0.1:7165 or [::1]:7165"
        case .taken(let address):
            "page address \(address) is taken: another program listens there; choose another port, or "
                + "monitor.page=auto for the next free one"
        case .unavailable(let address, let reason):
            "page address \(address) cannot be used: \(reason); the host must be an address of this machine"
        case .needsToken(let address):
            "page address \(address) can be reached from other machines, so it needs a token: set the variable "
                + "MYRIAD_TOKEN or monitor.token_file, or use 127.0.0.1"
        case .badToken:
            "the page's token must have 8 to 256 letters, digits or signs of -._~+/=: the output of "
                + "`openssl rand -hex 16` is one"
        }
    }
}
