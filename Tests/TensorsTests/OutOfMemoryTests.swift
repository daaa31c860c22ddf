import Tensors
import Testing

@Suite struct OutOfMemoryTests {
    @Test("a process that gets no more memory says what for, and ends with the code of a failed job")
    func end() async {
        let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
            OutOfMemory.end(1 << 50, for: "rows")
        }
        let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(said.contains("error: no memory for 1125899906842624 bytes of rows\n"), "\(said)")
    }
}
