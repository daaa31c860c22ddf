import CCompression
import Foundation

/// The bytes of a file, decompressed by its ending: `.gz`, `.zst`, or as they are.
final class ByteSource {
    private enum Codec {
        case plain
        case gzip(gzFile)
        case zstd(OpaquePointer)
    }

    private static let chunk = 1 << 20
    private let path: String
    private let handle: UnsafeMutablePointer<FILE>
    private let codec: Codec
    private let size: Int
    private var input = [UInt8](repeating: 0, count: ByteSource.chunk)
    private var inputCount = 0
    private var inputRead = 0
    private var frameIsOpen = false

    init(path: String) throws {
        self.path = path
        guard let handle = fopen(path, "rb") else {
            throw PrepareError.file(path: path, "cannot be read: \(String(cString: strerror(errno)))")
        }
        self.handle = handle
        var status = stat()
        size = fstat(fileno(handle), &status) == 0 ? Int(status.st_size) : 0
        if path.hasSuffix(".gz") {
            guard let file = gzdopen(dup(fileno(handle)), "rb") else {
                throw PrepareError.file(path: path, "cannot be decompressed")
            }
            gzbuffer(file, 1 << 18)
            codec = .gzip(file)
        } else if path.hasSuffix(".zst"), let stream = ZSTD_createDStream() {
            codec = .zstd(stream)
        } else {
            codec = .plain
        }
    }

    deinit {
        switch codec {
        case .plain: break
        case .gzip(let file): gzclose(file)
        case .zstd(let stream): ZSTD_freeDStream(stream)
        }
        fclose(handle)
    }

    /// How much of the file was read, 0 to 1.
    var share: Double { size > 0 ? min(1, max(0, Double(lseek(fileno(handle), 0, SEEK_CUR)) / Double(size))) : 1 }

    /// Fills `buffer` from its start and returns how many bytes there are; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        switch codec {
        case .plain:
            let count = fread(buffer.baseAddress, 1, buffer.count, handle)
            if count == 0, ferror(handle) != 0 {
                throw PrepareError.file(path: path, "cannot be read: \(String(cString: strerror(errno)))")
            }
            return count
        case .gzip(let file):
            let count = gzread(file, buffer.baseAddress, UInt32(min(buffer.count, 1 << 30)))
            guard count > 0 else {
                var code: Int32 = 0
                let message = gzerror(file, &code).map { String(cString: $0) } ?? ""
                if count < 0 || code != Z_OK, code != Z_STREAM_END {
                    throw PrepareError.file(path: path, "is a damaged or cut gzip file (\(message)); fetch it again")
                }
                return 0
            }
            return Int(count)
        case .zstd(let stream): return try readZstd(stream, buffer)
        }
    }

    private func readZstd(_ stream: OpaquePointer, _ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            if inputRead == inputCount {
                inputCount = fread(&input, 1, ByteSource.chunk, handle)
                inputRead = 0
                if inputCount == 0 {
                    if frameIsOpen { throw PrepareError.file(path: path, "is a cut zstd file; fetch it again") }
                    return 0
                }
            }
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let result = input.withUnsafeBytes { bytes in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: inputCount, pos: inputRead)
                let result = ZSTD_decompressStream(stream, &output, &source)
                inputRead = source.pos
                return result
            }
            if ZSTD_isError(result) != 0 {
                let name = String(cString: ZSTD_getErrorName(result))
                throw PrepareError.file(path: path, "is a damaged zstd file (\(name)); fetch it again")
            }
            frameIsOpen = result != 0
            if output.pos > 0 { return output.pos }
        }
    }
}
