import Foundation
import Testing

@testable import Tensors

@Suite struct SafetensorsTests {
    private func path() -> String {
        FileManager.default.temporaryDirectory.appending(path: "st-\(UUID().uuidString).safetensors").path
    }

    private func write(_ path: String) throws {
        let writer = try SafetensorsWriter(
            path: path, [.init("ids", .uint64, [3]), .init("rows", .float32, [3, 2]), .init("none", .uint32, [0])],
            metadata: ["format": "test", "quote": "a \"b\""])
        try writer.write([UInt64(7), 8, 9])
        try writer.write([Float(1), 2, 3])
        try writer.write([Float(4), 5, 6])
        try writer.finish()
    }

    @Test("what was written is read back, aligned")
    func roundTrip() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path)
        let file = try SafetensorsFile(path: path)
        #expect(Array(try file.column("ids", as: UInt64.self)) == [7, 8, 9])
        #expect(Array(try file.column("rows", as: Float.self)) == [1, 2, 3, 4, 5, 6])
        #expect(try file.column("none", as: UInt32.self).isEmpty)
        #expect(file.tensors["rows"]?.shape == [3, 2])
        #expect(file.metadata == ["format": "test", "quote": "a \"b\""])
        #expect(throws: SafetensorsError.self) { try file.column("ids", as: Float.self) }
        #expect(throws: SafetensorsError.self) { try file.column("absent", as: Float.self) }
    }

    @Test("a file as numpy writes it is read")
    func foreign() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let header =
            #"{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
        var text = header
        while text.utf8.count % 8 != 0 { text += " " }
        var data = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Data($0) }
        data += Data(text.utf8)
        data += withUnsafeBytes(of: Int64(-5).littleEndian) { Data($0) }
        data += withUnsafeBytes(of: Float(1.5)) { Data($0) }
        try data.write(to: URL(filePath: path))
        let file = try SafetensorsFile(path: path)
        #expect(try file.column("x", as: Int64.self)[0] == -5)
        #expect(try file.column("y", as: Float.self)[0] == 1.5)
    }

    @Test("no cut and no flipped header byte crashes, every cut is refused")
    func damage() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path)
        let whole = try Data(contentsOf: URL(filePath: path))
        for count in stride(from: 0, to: whole.count, by: 7) {
            try whole.prefix(count).write(to: URL(filePath: path))
            #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
        }
        for index in 0..<min(whole.count, 300) {
            for bit in [0x01, 0x80] as [UInt8] {
                var damaged = whole
                damaged[index] ^= bit
                try damaged.write(to: URL(filePath: path))
                guard let file = try? SafetensorsFile(path: path) else { continue }
                for tensor in file.tensors.values { #expect(file.bytes(of: tensor).count == tensor.range.count) }
            }
        }
    }

    @Test("a file to which something was appended is refused")
    func appended() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path)
        let whole = try Data(contentsOf: URL(filePath: path))
        for more in [1, 8, 4096] {
            try (whole + Data(count: more)).write(to: URL(filePath: path))
            let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
            #expect(error.map { "\($0)" }?.contains("appended") == true)
        }
    }

    @Test("more or fewer bytes than declared are refused")
    func counts() throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try SafetensorsWriter(path: path, [.init("x", .float32, [2])])
        #expect(throws: SafetensorsError.self) { try writer.write([Float(1), 2, 3]) }
        try writer.write([Float(1)])
        #expect(throws: SafetensorsError.self) { try writer.finish() }
    }

    @Test(
        "every number of a header at its extremes is refused",
        arguments: ["-1", "1.5", "1e300", "-9223372036854775808", "9223372036854775807", "true", "\"3\"", "null", "[]"])
    func extremes(number: String) throws {
        let path = path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        for entry in [
            #"{"dtype":"F32","shape":[@],"data_offsets":[0,12]}"#,
            #"{"dtype":"F32","shape":[3,@],"data_offsets":[0,12]}"#,
            #"{"dtype":"F32","shape":[3],"data_offsets":[@,12]}"#, #"{"dtype":"F32","shape":[3],"data_offsets":[0,@]}"#,
        ] {
            let text = #"{"x":\#(entry.replacing("@", with: number))}"#
            var data = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Data($0) }
            data += Data(text.utf8) + Data(repeating: 0, count: 12)
            try data.write(to: URL(filePath: path))
            #expect(throws: SafetensorsError.self, "\(text)") { try SafetensorsFile(path: path) }
        }
    }

    @Test("a writer that fails leaves no descriptor open, wherever it fails")
    func descriptors() throws {
        /// Descriptors of this process that lead to a full disk.
        func open() -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            return names.count {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)) == "/dev/full"
            }
        }
        for _ in 0..<20 {
            #expect(throws: SafetensorsError.self) {
                let writer = try SafetensorsWriter(path: "/dev/full", [.init("x", .float32, [1 << 16])])
                try writer.write([Float](repeating: 1, count: 1 << 16))
                try writer.finish()
            }
            #expect(throws: SafetensorsError.self) {
                try SafetensorsWriter(path: "/dev/full", [.init("x", .float32, [1])]).finish()
            }
            #expect(throws: SafetensorsError.self) {
                let many = (0..<2000).map { SafetensorsWriter.Declaration("tensor-\($0)", .float32, [0]) }
                _ = try SafetensorsWriter(path: "/dev/full", many)
            }
        }
        #expect(open() == 0)
    }

    @Test("a pipe in a file's place is refused and not waited for; what the system refuses keeps its code")
    func places() throws {
        let path = path()
        defer { unlink(path) }
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: SafetensorsError.file(path: path, "is not a regular file")) { try SafetensorsFile(path: path) }
        #expect(throws: SafetensorsError.file(path: path, "is not a regular file")) { try Files.checksum(path) }
        unlink(path)
        #expect(symlink(path, path) == 0)
        #expect(throws: SafetensorsError.system(path: path, verb: "opened", code: ELOOP)) { try MappedFile(path: path) }
    }

    @Test("a small text is read whole, without a mark before it; what is too large or no text is named")
    func texts() throws {
        let path = path()
        defer { unlink(path) }
        try Data([0xef, 0xbb, 0xbf, 0x61]).write(to: URL(filePath: path))
        #expect(try Files.text(of: path) == "a")
        #expect(throws: SafetensorsError.file(path: path, "has 4 bytes, more than 3")) {
            try Files.text(of: path, limit: 3)
        }
        try Data([0xff]).write(to: URL(filePath: path))
        #expect(throws: SafetensorsError.file(path: path, "is not UTF-8 text")) { try Files.text(of: path) }
        #expect(throws: SafetensorsError.file(path: "/tmp", "is not a regular file")) { try Files.text(of: "/tmp") }
    }

    @Test("what a command makes replaces a file, keeps a link and a directory, and goes into a pipe")
    func writes() throws {
        let path = path()
        defer { for name in [path, path + ".link"] { unlink(name) } }
        try Files.write("one", to: path)
        #expect(symlink(path, path + ".link") == 0)
        try Files.write("two", to: path + ".link", isSecret: true)
        #expect(try Files.text(of: path) == "two")
        // A link to nothing yet stays one, too; a file of a like name is somebody's.
        defer { for name in [path + ".new", path + ".to", path + Files.unfinished] { unlink(name) } }
        #expect(symlink(path + ".new", path + ".to") == 0)
        try Files.write("new", to: path + ".to")
        #expect(try Files.text(of: path + ".new") == "new")
        try Data("mine".utf8).write(to: URL(filePath: path + Files.unfinished))
        func mode() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        try Files.write("two", to: path)
        #expect(try Files.text(of: path + Files.unfinished) == "mine")
        #expect(try mode() == 0o600, "who may read it is as before")
        chmod(path, 0o666)
        try Files.write("two", to: path)
        #expect(try mode() == 0o666)
        try Files.write("two", to: path, isSecret: true)
        #expect(try mode() == 0o600)
        // As long as a name may be.
        let long = URL(filePath: path).deletingLastPathComponent().path + "/" + String(repeating: "x", count: 255)
        defer { unlink(long) }
        try Files.write("long", to: long)
        // A file that has lost its name, through what still has it open.
        let open = Glibc.open(path, O_RDWR)
        defer { close(open) }
        unlink(path)
        let lost = "/proc/self/fd/\(open)"
        #expect(symlink(lost, path) == 0)
        try Files.write("seven", to: path)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(pread(open, &bytes, 8, 0) == 5 && bytes.prefix(5).elementsEqual("seven".utf8))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == lost)
        unlink(path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: SafetensorsError.system(path: path, verb: "written", code: EISDIR)) {
            try Files.write("three", to: path)
        }
        rmdir(path)
        #expect(mkfifo(path, 0o600) == 0)
        let reader = Glibc.open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try Files.write("four", to: path)
        #expect(read(reader, &bytes, 8) == 4 && bytes.prefix(4).elementsEqual("four".utf8))
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test(
        "a file's checksum is that of its bytes, over more than one piece too", arguments: [0, 5, 4 << 20, 5_000_001])
    func checksum(count: Int) throws {
        let path = path()
        defer { unlink(path) }
        let data = Data((0..<count).lazy.map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 8) })
        try data.write(to: URL(filePath: path))
        let expected = data.withUnsafeBytes { String(XXHash64.hash($0), radix: 16) }
        #expect(try Files.checksum(path).checksum == expected)
        #expect(try Files.checksum(path).stamp == Files.stamp(path))
    }
}
