import Testing

@testable import Display

@Suite("Requests")
struct RequestTests {
    private func take(_ text: String) throws -> Request? {
        var buffer = Array(text.utf8)
        return try Request.take(from: &buffer)
    }

    @Test("A request is taken when its empty line is here, whatever the pieces")
    func pieces() throws {
        let text = "GET /api/v1/series?since=1.5&x=a%20b HTTP/1.1\r\nHost: localhost:7165\r\nAccept:  */* \r\n\r\n"
        for end in 0..<text.utf8.count {
            var part = Array(text.utf8.prefix(end))
            #expect(try Request.take(from: &part) == nil)
        }
        let request = try #require(try take(text))
        #expect(request.method == "GET")
        #expect(request.path == "/api/v1/series")
        #expect(request.query == ["since": "1.5", "x": "a b"])
        #expect(request.headers == ["host": "localhost:7165", "accept": "*/*"])
        #expect(request.keepsAlive)
        var two = Array((text + text).utf8)
        _ = try Request.take(from: &two)
        #expect(two == Array(text.utf8))
    }

    @Test("HTTP/1.0 and Connection decide whether the connection stays")
    func keepAlive() throws {
        #expect(try take("GET / HTTP/1.0\n\n")?.keepsAlive == false)
        #expect(try take("GET / HTTP/1.0\nConnection: keep-alive\n\n")?.keepsAlive == true)
        #expect(try take("GET / HTTP/1.1\nConnection: Close\n\n")?.keepsAlive == false)
    }

    @Test(
        "What is no request is refused",
        arguments: [
            ("\u{0}\u{1}\u{2}\r\n\r\n", Request.Refusal.malformed), ("GET /\r\n\r\n", .malformed),
            ("GET / HTTP/1.1 x\r\n\r\n", .malformed), ("GET http://a/ HTTP/1.1\r\n\r\n", .malformed),
            ("GET /%zz HTTP/1.1\r\n\r\n", .malformed), ("GET /%+1 HTTP/1.1\r\n\r\n", .malformed),
            ("GET /%00 HTTP/1.1\r\n\r\n", .malformed), ("GET /%ff HTTP/1.1\r\n\r\n", .malformed),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", .malformed), ("GET / HTTP/1.1\r\n : x\r\n\r\n", .malformed),
            ("GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", .malformed), ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", .malformed),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .malformed), ("GET / HTTP/2.0\r\n\r\n", .badVersion),
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", .hasBody),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", .hasBody),
            ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", .hasBody),
            ("GET /\(String(repeating: "a", count: 8192)) HTTP/1.1\r\n\r\n", .tooLong),
            ("GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 9000))", .tooLong),
        ])
    func refusals(_ text: String, _ refusal: Request.Refusal) {
        #expect(throws: refusal) { try take(text) }
    }

    @Test("Only this machine's own names pass without a token")
    func hosts() {
        for host in ["127.0.0.1", "localhost", "LOCALHOST:7165", "[::1]", "[::1]:80", "127.0.0.1:7165"] {
            #expect(Gate.isLocal(host), "\(host)")
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7165", "localhost:x", "::1"]
        {
            #expect(!Gate.isLocal(host), "\(host)")
        }
    }

    @Test("A token equals itself only")
    func tokens() {
        #expect(Gate.areEqual("secret-token", "secret-token"))
        for wrong in ["", "secret-toke", "secret-tokem", "secret-token2", "secret-token\u{0}"] {
            #expect(!Gate.areEqual(wrong, "secret-token"))
        }
    }

    @Test("Addresses are checked before anything is bound")
    func addresses() throws {
        for bad in ["7165", "host:7165", "127.0.0.1", "127.0.0.1:99999", ":7165", ""] {
            #expect(throws: PageError.badAddress(bad)) { try PageOptions(address: bad).endpoints() }
        }
        for open in ["0.0.0.0:0", "[::]:0", "10.1.2.3:7165"] {
            #expect(throws: PageError.needsToken(open)) { try PageOptions(address: open).endpoints() }
            #expect(try PageOptions(address: open, token: "0123456789abcdef").endpoints().count == 1)
        }
        #expect(try PageOptions(address: "localhost:7").endpoints() == [.init(host: "127.0.0.1", port: 7)])
        #expect(throws: PageError.badToken) { try PageOptions(token: "short").endpoints() }
        #expect(throws: PageError.badToken) { try PageOptions(token: "has a blank; and more").endpoints() }
    }
}
