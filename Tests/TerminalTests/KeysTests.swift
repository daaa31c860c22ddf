import Testing

@testable import Display

@Suite struct KeysTests {
    @Test("keys that arrive together are taken one by one, escape sequences whole")
    func split() {
        func keys(_ text: String) -> [String] {
            Keys.split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(keys("jjk") == ["j", "j", "k"])
        #expect(keys("\u{1b}[Bp") == ["\u{1b}[B", "p"])
        #expect(keys("\u{1b}[6~\u{1b}OAq") == ["\u{1b}[6~", "\u{1b}OA", "q"])
        #expect(keys("\u{1b}") == ["\u{1b}"] && keys("\u{1b}\u{1b}[A") == ["\u{1b}", "\u{1b}[A"])
        #expect(keys("\u{1b}[1;5") == ["\u{1b}[1;5"] && keys("") == [])
    }
}
