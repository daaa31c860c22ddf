import Display
import Telemetry
import Testing

@Suite struct LineTests {
    @Test("control characters, line breaks and reordering marks become visible and harmless")
    func hostile() {
        let name = "evil\u{1b}[2J\u{1b}]0;title\u{7}\r\nhost\u{202e}\u{9b}31m\u{7f}\u{2028}"
        let line = Line(name)
        for text in [line.text, line.colored] {
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && !(0x80...0x9f ~= $0.value) })
            #expect(!text.unicodeScalars.contains { $0 == "\u{202e}" || $0 == "\u{2028}" })
        }
        #expect(line.text.hasPrefix("evil␛[2J␛]0;title␇␍␊host"))
        #expect("plain text, überall 数据".harmless == "plain text, überall 数据")
        #expect("a\tb".harmless == "a b")
    }

    @Test("a line is cut at columns, not characters, and says so")
    func clipping() {
        #expect(Glyphs.width(of: "数据a") == 5)
        #expect(Glyphs.width(of: "e\u{301}") == 1)
        #expect(Glyphs.clipped("数据数据", to: 5) == "数据…")
        #expect(Glyphs.clipped("数据数据", to: 4) == "数…")
        #expect(Glyphs.clipped("abc", to: 3) == "abc")
        #expect(Glyphs.clipped("abcd", to: 3) == "ab…")
        var line = Line("one ", .bold)
        line.add("two ", .good)
        line.add("three", .bad)
        #expect(line.clipped(to: 13) == line)
        #expect(line.clipped(to: 10).text == "one two t…")
        #expect(line.clipped(to: 6).text == "one t…")
        #expect(line.clipped(to: 6).colored == "\u{1b}[1mone \u{1b}[0m\u{1b}[32mt…\u{1b}[0m")
        #expect(line.clipped(to: 0).text.isEmpty)
    }

    @Test("long texts are broken between words, and inside of a word that is too long")
    func wrapping() {
        #expect(Glyphs.wrapped("step 17 waits for worker 1", to: 12) == ["step 17", "waits for", "worker 1"])
        #expect(Glyphs.wrapped("abcdefgh", to: 3) == ["abc", "def", "gh"])
        #expect(Glyphs.wrapped("one\ntwo", to: 80) == ["one", "two"])
        #expect(Glyphs.wrapped("", to: 80) == [""])
        #expect(Glyphs.wrapped("a\u{1b}[Jb", to: 80) == ["a␛[Jb"])
        #expect(Glyphs.wrapped("数据", to: 1) == ["数", "据"])
    }

    @Test("numbers stand at the right, texts at the left; the least important column goes first")
    func table() {
        let columns: [Column<[String]>] = [
            Column("Name", 100, kind: .text) { row, _ in Cell(row[0]) }, Column("Rows", 90) { row, _ in Cell(row[1]) },
            Column("Place", 10, kind: .text, shortest: 6) { row, _ in Cell(row[2]) },
            Column("Minor", 5) { row, _ in Cell(row[3]) },
        ]
        let table = TextTable(
            columns, [["a", "1.24 M", "somewhere far away", "7"], ["longer", "5", "here", "12"]])
        #expect(
            table.lines(width: 80).map(\.text) == [
                "NAME      ROWS  PLACE               MINOR", "a       1.24 M  somewhere far away      7",
                "longer       5  here                   12",
            ])
        // First the text gives, then columns go.
        #expect(
            table.lines(width: 31).map(\.text) == [
                "NAME      ROWS  PLACE     MINOR", "a       1.24 M  somewhe…      7", "longer       5  here         12",
            ])
        #expect(
            table.lines(width: 25).map(\.text) == [
                "NAME      ROWS  PLACE", "a       1.24 M  somewher…", "longer       5  here",
            ])
        #expect(table.lines(width: 20).map(\.text) == ["NAME      ROWS", "a       1.24 M", "longer       5"])
        #expect(table.lines(width: 4).map(\.text) == ["NAME", "a", "lon…"])
        #expect(table.lines(width: 80)[0].colored.contains("\u{1b}[1mNAME"))
    }

    @Test("a sparkline spans its values, leaves gaps, and means where there are more values than columns")
    func sparkline() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7], width: 8, fromZero: true) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([5, nil, 6], width: 8, fromZero: false) == "▁ █")
        #expect(Sparkline.text([8, 8, 8], width: 3, fromZero: true) == "███")
        #expect(Sparkline.text([8, 8, 8], width: 3, fromZero: false) == "▅▅▅")
        #expect(Sparkline.text([0, 0, 8, 8], width: 2, fromZero: true) == "▁█")
        #expect(Sparkline.text([.nan, nil], width: 4, fromZero: true).isEmpty)
        #expect(Sparkline.text([], width: 4, fromZero: true).isEmpty)
    }
}
