import Foundation

/// Calls a function with every line of a file, without its end of line; numbers count from 1.
enum LineReader {
    /// No line of any known dataset is longer.
    static let longest = 64 << 20

    /// - Parameter progress: called with the share of the file that was read, after each of its pieces.
    static func read(
        path: String, progress: (Double) -> Void = { _ in },
        _ body: (UnsafeBufferPointer<UInt8>, _ number: Int) throws -> Void
    ) throws {
        let source = try ByteSource(path: path)
        var buffer = [UInt8](repeating: 0, count: 2 << 20)
        var held = 0
        var number = 0
        while true {
            if held == buffer.count {
                guard buffer.count < longest else {
                    throw PrepareError.file(path: path, "has a line of more than \(longest) bytes after line \(number)")
                }
                buffer += [UInt8](repeating: 0, count: buffer.count)
            }
            let got = try buffer.withUnsafeMutableBytes {
                try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[held...]))
            }
            let count = held + got
            let used = try buffer.withUnsafeBufferPointer { bytes in
                var start = 0
                while start < count {
                    guard let base = bytes.baseAddress, let found = memchr(base + start, 10, count - start) else {
                        break
                    }
                    let end = UnsafeRawPointer(found) - UnsafeRawPointer(base)
                    number += 1
                    try body(line(bytes, start..<end), number)
                    start = end + 1
                }
                if got == 0, start < count {
                    number += 1
                    try body(line(bytes, start..<count), number)
                    start = count
                }
                return start
            }
            if got == 0 { return }
            progress(source.share)
            buffer.withUnsafeMutableBytes { bytes in
                if used > 0, let base = bytes.baseAddress { memmove(base, base + used, count - used) }
            }
            held = count - used
        }
    }

    private static func line(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        let cut = !range.isEmpty && bytes[range.upperBound - 1] == 13 ? range.upperBound - 1 : range.upperBound
        return UnsafeBufferPointer(rebasing: bytes[range.lowerBound..<cut])
    }
}
