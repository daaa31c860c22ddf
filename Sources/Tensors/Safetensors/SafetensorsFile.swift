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
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<8 + Int(length)]))
        } catch {
            throw .header(path: path, "is not a JSON object of tensors with dtype, shape and data_offsets")
        }
        var tensors: [String: TensorInfo] = [:]
        for (name, entry) in header.tensors {
            tensors[name] = try SafetensorsFile.info(
                name, entry, path: path, start: 8 + Int(length), end: bytes.count)
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
        metadata = header.metadata
    }

    /// The header as it stands there; numbers that are no whole numbers are refused.
    private struct Header: Decodable {
        struct Entry: Decodable {
            let dtype: String
            let shape, offsets: [Int]

            enum CodingKeys: String, CodingKey {
                case dtype, shape
                case offsets = "data_offsets"
            }
        }

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var tensors: [String: Entry] = [:]
        var metadata: [String: String] = [:]

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Name.self)
            for key in values.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try values.decode([String: String].self, forKey: key)
                } else {
                    tensors[key.stringValue] = try values.decode(Entry.self, forKey: key)
                }
            }
        }
    }

    private static func info(
        _ name: String, _ entry: Header.Entry, path: String, start: Int, end: Int
    ) throws(SafetensorsError) -> TensorInfo {
        func wrong(_ problem: String) -> SafetensorsError { .tensor(path: path, name: name, problem) }
        guard let type = TensorType(rawValue: entry.dtype) else {
            throw wrong("has a dtype that is not one of \(TensorType.allCases.map(\.rawValue))")
        }
        let (shape, offsets) = (entry.shape, entry.offsets)
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= end - start
        else { throw wrong("has no data_offsets within the file") }
        var count = 1
        for side in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: side)
            guard side >= 0, !overflow else { throw wrong("has the shape \(shape)") }
            count = product
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow, offsets[1] - offsets[0] == bytes else {
            throw wrong("has \(offsets[1] - offsets[0]) bytes, its shape \(shape) asks for another number")
        }
        return TensorInfo(name: name, type: type, shape: shape, range: start + offsets[0]..<start + offsets[1])
    }

    /// Whether there is such a tensor.
    package func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// The elements of a tensor, where they lie; they live as long as this object.
    package func column<Element: TensorElement>(
        _ name: String, as type: Element.Type = Element.self
    ) throws(SafetensorsError) -> UnsafeBufferPointer<Element> {
        func wrong(_ problem: String) -> SafetensorsError { .tensor(path: path, name: name, problem) }
        guard let tensor = tensors[name] else {
            throw wrong("is missing; there are \(tensors.keys.sorted().prefix(12).joined(separator: ", "))")
        }
        guard tensor.type == Element.tensorType else {
            let wanted = Element.tensorType
            throw wrong("is \(tensor.type.rawValue), expected \(wanted.rawValue): write it as numpy's \(wanted)")
        }
        let part = bytes(of: tensor)
        guard UInt(bitPattern: part.baseAddress) % UInt(MemoryLayout<Element>.alignment) == 0 else {
            throw wrong("is not aligned; write the tensors in the order of falling element size")
        }
        return part.bindMemory(to: Element.self)
    }

    /// The bytes of a tensor.
    package func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
    }
}
