import Foundation

/// A safetensors file, mapped: 8 bytes of header length N (little-endian), N bytes of JSON, then the data.
///
/// The header maps a name to `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`, offsets from the end of the
/// header; `__metadata__` maps strings to strings. Everything is checked before any data is touched: lengths, types,
/// shapes, that the tensors tile the data without gap or overlap.
package final class SafetensorsFile: Sendable {
    /// The most that a header may take.
    package static let headerLimit = 16 << 20

    /// Where the file is.
    package let path: String
    /// By name.
    package let tensors: [String: TensorInfo]
    /// What the writer noted.
    package let metadata: [String: String]
    private let file: MappedFile

    /// Maps and checks a file.
    package init(path: String) throws(SafetensorsError) {
        self.path = path
        file = try MappedFile(path: path)
        let bytes = file.bytes
        guard bytes.count >= 8 else { throw .header(path: path, "needs 8 bytes, the file has \(bytes.count)") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafetensorsFile.headerLimit), Int(length) + 8 <= bytes.count else {
            throw .header(path: path, "claims \(length) bytes of a file of \(bytes.count)")
        }
        let text = Data(bytes[8..<8 + Int(length)])
        guard let root = try? JSONSerialization.jsonObject(with: text) as? [String: [String: NSObject]] else {
            throw .header(path: path, "is not a JSON object of objects")
        }
        var tensors: [String: TensorInfo] = [:]
        var metadata: [String: String] = [:]
        for (name, entry) in root {
            if name == "__metadata__" {
                for (key, value) in entry { metadata[key] = (value as? NSString).map { String(describing: $0) } }
            } else {
                tensors[name] = try SafetensorsFile.info(
                    name, entry, path: path, start: 8 + Int(length), end: bytes.count)
            }
        }
        var next = 8 + Int(length)
        for tensor in tensors.values.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard tensor.range.lowerBound == next else {
                throw .tensor(path: path, name: tensor.name, "begins at byte \(tensor.range.lowerBound), not \(next)")
            }
            next = tensor.range.upperBound
        }
        guard next == bytes.count else {
            throw .file(
                path: path, "has \(bytes.count) bytes, its tensors end at \(next): it is cut or was appended to")
        }
        self.tensors = tensors
        self.metadata = metadata
    }

    private static func info(
        _ name: String, _ entry: [String: NSObject], path: String, start: Int, end: Int
    ) throws(SafetensorsError) -> TensorInfo {
        guard let word = entry["dtype"] as? NSString, let type = TensorType(rawValue: String(describing: word)) else {
            throw .tensor(
                path: path, name: name, "has a dtype that is not one of \(TensorType.allCases.map(\.rawValue))")
        }
        guard let shape = (entry["shape"] as? NSArray)?.map({ ($0 as? NSNumber)?.intValue ?? -1 }),
            let offsets = (entry["data_offsets"] as? NSArray)?.map({ ($0 as? NSNumber)?.intValue ?? -1 }),
            offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= end - start
        else { throw .tensor(path: path, name: name, "has no valid shape and data_offsets within the file") }
        var count = 1
        for side in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: side)
            guard side >= 0, !overflow else { throw .tensor(path: path, name: name, "has the shape \(shape)") }
            count = product
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow, offsets[1] - offsets[0] == bytes else {
            throw .tensor(
                path: path, name: name,
                "has \(offsets[1] - offsets[0]) bytes, its shape \(shape) asks for another number")
        }
        return TensorInfo(name: name, type: type, shape: shape, range: start + offsets[0]..<start + offsets[1])
    }

    /// Whether there is such a tensor.
    package func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// The elements of a tensor, where they lie; they live as long as this object.
    package func column<Element: TensorElement>(
        _ name: String, as type: Element.Type = Element.self
    ) throws(SafetensorsError) -> UnsafeBufferPointer<Element> {
        guard let tensor = tensors[name] else {
            throw .tensor(
                path: path, name: name,
                "is missing; there are \(tensors.keys.sorted().prefix(12).joined(separator: ", "))")
        }
        guard tensor.type == Element.tensorType else {
            let wanted = Element.tensorType
            throw .tensor(
                path: path, name: name,
                "is \(tensor.type.rawValue), expected \(wanted.rawValue): write it as numpy's \(wanted)")
        }
        let part = UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
        guard UInt(bitPattern: part.baseAddress) % UInt(MemoryLayout<Element>.alignment) == 0 else {
            throw .tensor(
                path: path, name: name, "is not aligned; write the tensors in the order of falling element size")
        }
        return part.bindMemory(to: Element.self)
    }

    /// The bytes of a tensor.
    package func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
    }
}
