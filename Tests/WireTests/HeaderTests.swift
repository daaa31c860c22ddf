import Testing

@testable import Wire

@Suite struct HeaderTests {
    @Test("a header has its golden bytes")
    func golden() {}
}
