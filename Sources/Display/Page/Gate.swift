import Foundation

/// Who may see what: the token where there is one, this machine's own names otherwise.
struct Gate: Sendable {
    let token: String?
    /// Cookies do not know ports: two servers of one host need two names.
    let cookie: String

    /// What probes ask without a token.
    private static let open: Set<String> = ["/healthz", "/readyz"]

    /// Why a request is refused; nil when it may pass.
    func refusal(of request: Request) -> Response? {
        guard request.method == "GET" || request.method == "HEAD" else {
            return .problem(
                .methodNotAllowed, "only GET and HEAD are answered: nothing can be changed here",
                headers: [("Allow", "GET, HEAD")])
        }
        guard let token else {
            // A page elsewhere whose name was made to point at 127.0.0.1 could otherwise read this one.
            guard Self.isLocal(request.headers["host"] ?? "") else {
                return .problem(
                    .forbidden,
                    "asked as host \"\(request.headers["host"] ?? "")\": without a token only 127.0.0.1 and localhost "
                        + "are answered; set MYRIAD_TOKEN or monitor.token_file to use another name")
            }
            return nil
        }
        if Self.open.contains(request.path) { return nil }
        if shown(in: request).contains(where: { Self.areEqual($0, token) }) { return nil }
        return .problem(
            .unauthorized, "a token is needed: open /?token=… once, or send the header Authorization: Bearer …",
            headers: [("WWW-Authenticate", "Bearer realm=\"myriad\"")])
    }

    /// The header that spares a browser the token in its next requests.
    func cookieHeader(for request: Request) -> (name: String, value: String)? {
        guard let token, let shown = request.query["token"], Self.areEqual(shown, token) else { return nil }
        return ("Set-Cookie", "\(cookie)=\(token); HttpOnly; SameSite=Strict; Path=/")
    }

    private func shown(in request: Request) -> [String] {
        var all: [String] = []
        if let header = request.headers["authorization"], header.lowercased().hasPrefix("bearer ") {
            all.append(String(header.dropFirst(7)))
        }
        if let query = request.query["token"] { all.append(query) }
        for pair in (request.headers["cookie"] ?? "").split(separator: ";") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { $0.drop { $0 == " " } }
            if sides.count == 2, sides[0] == cookie { all.append(String(sides[1])) }
        }
        return all
    }

    /// Whether a Host header names this machine by a name that nobody else can own.
    static func isLocal(_ host: String) -> Bool {
        var name = host.lowercased()
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            guard UInt16(name[name.index(after: colon)...]) != nil else { return false }
            name = String(name[..<colon])
        }
        return ["127.0.0.1", "localhost", "[::1]"].contains(name)
    }

    /// Compares without telling by its time how much was right.
    static func areEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var difference = left.count ^ right.count
        for index in right.indices { difference |= Int((index < left.count ? left[index] : 0) ^ right[index]) }
        return difference == 0
    }
}
