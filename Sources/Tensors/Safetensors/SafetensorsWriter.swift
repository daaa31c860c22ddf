import Foundation

/// Writes a safetensors file: all tensors are declared, then their bytes follow in the same order.
///
/// Declare larger element types first: then every tensor is aligned to its type. The header is padded so that the data
/// start on a multiple of 64 bytes.
package final class SafetensorsWriter {
    private let path: String
    /// Nil once it is closed.
    private var handle: UnsafeMutablePointer<FILE>?
    private let declared: [Declaration]
    private var current = 0
    private var writtenOfCurrent = 0

    /// A tensor to come.
    package struct Declaration: Sendable {
        let name: String
        let type: TensorType
        let shape: [Int]

        /// A tensor of this name, type and shape.
        package init(_ name: String, _ type: TensorType, _ shape: [Int]) {
            self.name = name
            self.type = type
            self.shape = shape
        }

        var byteCount: Int { shape.reduce(type.byteCount, *) }
    }

    /// Creates the file and writes its header.
    package init(
        path: String, _ tensors: [Declaration], metadata: [String: String] = [:]
    ) throws(SafetensorsError) {
        self.path = path
        declared = tensors
        var offset = 0
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for tensor in tensors {
            precondition(offset % tensor.type.byteCount == 0, "declare larger element types first: \(tensor.name)")
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.byteCount
            entries.append(
                "\(Self.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        while (header.count + 8) % 64 != 0 { header.append(UInt8(ascii: " ")) }
        guard header.count <= SafetensorsFile.headerLimit else {
            throw .header(path: path, "would take \(header.count) bytes")
        }
        var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        bytes += header
        handle = fopen(path, "wbe")
        guard handle != nil else { throw .last(path, "created") }
        guard bytes.withUnsafeBytes({ put($0) }) else { throw .last(path, "written") }
    }

    deinit { try? close() }

    private func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
        handle.map { fwrite(bytes.baseAddress, 1, bytes.count, $0) == bytes.count } ?? false
    }

    private func close() throws(SafetensorsError) {
        guard let open = handle else { return }
        handle = nil
        guard fclose(open) == 0 else { throw .last(path, "closed") }
    }

    private static func quoted(_ text: String) -> String {
        let data = (try? JSONSerialization.data(withJSONObject: [text], options: .withoutEscapingSlashes)) ?? Data()
        return String(decoding: data.dropFirst().dropLast(), as: UTF8.self)
    }

    /// Appends bytes to the tensor that is due; full tensors are left behind by themselves.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        skipFull()
        guard bytes.count > 0 else { return }
        guard current < declared.count, writtenOfCurrent + bytes.count <= declared[current].byteCount else {
            throw .file(path: path, "was given more bytes than declared")
        }
        guard put(bytes) else { throw .last(path, "written") }
        writtenOfCurrent += bytes.count
        skipFull()
    }

    /// Appends elements to the tensor that is due.
    package func write<Element: TensorElement>(_ elements: UnsafeBufferPointer<Element>) throws(SafetensorsError) {
        try write(UnsafeRawBufferPointer(elements))
    }

    /// Appends elements to the tensor that is due.
    package func write<Element: TensorElement>(_ elements: [Element]) throws(SafetensorsError) {
        try elements.withUnsafeBufferPointer { (elements) throws(SafetensorsError) in try write(elements) }
    }

    private func skipFull() {
        while current < declared.count, writtenOfCurrent == declared[current].byteCount {
            current += 1
            writtenOfCurrent = 0
        }
    }

    /// Makes the file durable and closes it; returns its size.
    @discardableResult
    package func finish() throws(SafetensorsError) -> Int {
        skipFull()
        guard current == declared.count, let handle else {
            throw .tensor(
                path: path, name: current < declared.count ? declared[current].name : "",
                "was declared and not written in full")
        }
        let size = ftell(handle)
        guard fflush(handle) == 0, fsync(fileno(handle)) == 0 else { throw .last(path, "made durable") }
        try close()
        return size
    }
}
