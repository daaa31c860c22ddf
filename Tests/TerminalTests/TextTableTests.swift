import Testing

@testable import Terminal

@Suite struct TextTableTests {
    private let columns: [TextTable.Column] = [
        .text("NODE", 100), .number("STEP", 80), .number("PID", 60), .steady("DOES", 90, shortest: 24),
    ]
    private func header(_ does: String, _ width: Int) -> String {
        let row = ["worker 0", "1,276", "23136", does].map { Span($0) }
        return TextTable(columns, [row]).lines(width: width)[0].text
    }

    @Test("columns do not come and go with the words of a steady one")
    func steady() {
        for width in 30...60 {
            let short = header("serving", width).split(separator: " ")
            #expect(short == header("waiting for values of shard 0, 1 to begin step 3164", width).split(separator: " "))
        }
        #expect(header("serving", 60) == "NODE       STEP    PID  DOES")
    }

    @Test("a wide column that does not fit does not take narrow ones with it")
    func refilled() {
        #expect(header("serving", 30) == "NODE       STEP    PID")
        #expect(header("serving", 16) == "NODE       STEP")
        #expect(header("serving", 8) == "NODE")
    }
}
