import Testing

@testable import Display

@Suite struct TextTableTests {
    private let columns: [Column<[String]>] = [
        Column("Node", 100, kind: .text) { row, _ in Cell(row[0]) }, Column("Step", 80) { row, _ in Cell(row[1]) },
        Column("PID", 60) { row, _ in Cell(row[2]) },
        Column("Does", 90, kind: .words, shortest: 24, isSteady: true) { row, _ in Cell(row[3]) },
    ]
    private func header(_ does: String, _ width: Int) -> String {
        TextTable(columns, [["worker 0", "1,276", "23136", does]]).lines(width: width)[0].text
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
