import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite struct FingerprintTests {
    /// The fingerprint after everything was opened, or why that is refused.
    private func open(_ directory: String) -> Result<String, any Error> {
        Result {
            let dataset = try Dataset(directory: directory)
            for split in dataset.info.splits.keys { _ = try dataset.split(named: split) }
            for table in dataset.schema.tables { _ = try dataset.counts(table: table) }
            return try dataset.fingerprint()
        }
    }

    @Test(
        "each of 200 flipped bits of a dataset is refused with the file's name or changes nothing",
        arguments: [true, false])
    func flips(isPrepared: Bool) throws {
        let directory = DatasetTests.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try DatasetTests.write(directory)
        if !isPrepared { try FileManager.default.removeItem(atPath: directory + "/checksums") }
        let whole = try open(directory).get()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0 != ".checked" }.sorted()
        #expect(names.count == (isPrepared ? 4 : 3))
        var seed: UInt64 = 1
        for number in 0..<200 {
            let name = names[number % names.count]
            let path = URL(filePath: directory + "/" + name)
            let bytes = try Data(contentsOf: path)
            seed = mix64(seed &+ 0x9e37_79b9_7f4a_7c15)
            var damaged = bytes
            damaged[Int(seed >> 8) % bytes.count] ^= 1 << UInt8(seed & 7)
            try damaged.write(to: path)
            switch open(directory) {
            case .success(let found):
                // A dataset without checksums is what it is: who knows it sees that it is another.
                let isTold = found != whole || (!isPrepared && name == "dataset.yaml")
                #expect(isPrepared ? found == whole && name == "checksums" : isTold, "bit \(number) of \(name)")
            case .failure(let error):
                #expect("\(error)".contains(directory), "\(error)")
                // Another name of a split is found by the file that is missed.
                let names = name == "dataset.yaml" ? [name, "does not list"] : [name]
                if isPrepared, name != "checksums" { #expect(names.contains { "\(error)".contains($0) }, "\(error)") }
            }
            try bytes.write(to: path)
        }
        #expect(try open(directory).get() == whole)
    }

    @Test("a file is read once; what was written, replaced or copied since is read again, as is what is noted wrongly")
    func once() throws {
        let directory = DatasetTests.temporary()
        let copy = directory + "-copy"
        defer { for path in [directory, copy] { try? FileManager.default.removeItem(atPath: path) } }
        try DatasetTests.write(directory)
        let name = "train-00000.safetensors"
        let path = URL(filePath: directory + "/" + name)
        /// The file's sum, and how often two looks have read it.
        func look(in place: String, youth: UInt64 = 0) throws -> (sum: FileSum, reads: Int) {
            let checks = FileChecks(directory: place, youth: youth)
            let sum = try checks.sum(of: name)
            #expect(try checks.sum(of: name) == sum)
            return (sum, checks.reads)
        }
        // A file this young may be changed without a trace: nothing is noted.
        #expect(try look(in: directory, youth: 3_600_000_000_000).reads == 2)
        let first = try look(in: directory)
        #expect(first.reads == 1)
        #expect(try look(in: directory) == (first.sum, 0))
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        #expect(try look(in: copy) == (first.sum, 1))
        let notes = URL(filePath: directory + "/.checked")
        var text = try Data(contentsOf: notes)
        text[3] ^= 1
        try text.write(to: notes)
        #expect(try look(in: directory) == (first.sum, 1))
        // Length and time of the content as before: the time of the entry's change tells.
        var status = stat()
        stat(path.path, &status)
        var bytes = try Data(contentsOf: path)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: path)
        utimensat(AT_FDCWD, path.path, [status.st_atim, status.st_mtim], 0)
        let changed = try look(in: directory)
        #expect(changed.reads == 1 && changed.sum != first.sum && changed.sum.bytes == first.sum.bytes)
    }

    @Test("replacing a dataset keeps what is not its own, and what was put aside comes back or goes")
    func replace() throws {
        let directory = DatasetTests.temporary()
        let aside = directory + ".replaced.partial"
        let files = FileManager.default
        defer { for path in [directory, aside] { try? files.removeItem(atPath: path) } }
        try DatasetTests.write(directory)
        try "mine".write(toFile: directory + "/notes.txt", atomically: true, encoding: .utf8)
        try DatasetTests.write(directory)
        #expect(try String(contentsOfFile: directory + "/notes.txt", encoding: .utf8) == "mine")
        #expect(!files.fileExists(atPath: aside) && !files.fileExists(atPath: directory + ".partial"))
        let whole = try open(directory).get()
        // Killed between the two renames: there is no dataset of that name.
        try files.moveItem(atPath: directory, toPath: aside)
        _ = try DatasetWriter(directory: directory, name: "x", schema: DatasetTests.schema)
        #expect(try open(directory).get() == whole && !files.fileExists(atPath: aside))
        #expect(!files.fileExists(atPath: directory + ".partial"), "what was begun and not finished stays behind")
        // Killed after the second: the old one goes, but for what is not its own.
        try files.copyItem(atPath: directory, toPath: aside)
        try files.removeItem(atPath: directory + "/notes.txt")
        _ = try DatasetWriter(directory: directory, name: "x", schema: DatasetTests.schema)
        #expect(files.fileExists(atPath: directory + "/notes.txt") && !files.fileExists(atPath: aside))
        #expect(try open(directory).get() == whole)
        // A link stays a link.
        let link = directory + "-link"
        defer { unlink(link) }
        try files.createSymbolicLink(atPath: link, withDestinationPath: directory)
        try DatasetTests.write(link)
        #expect(try files.destinationOfSymbolicLink(atPath: link) == directory)
    }
}
