/// The element types of safetensors that Myriad reads and writes.
package enum TensorType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case int32 = "I32"
    case uint32 = "U32"
    case int64 = "I64"
    case uint64 = "U64"
    case uint8 = "U8"

    /// Bytes of an element.
    package var byteCount: Int {
        switch self {
        case .uint8: 1
        case .float32, .int32, .uint32: 4
        case .int64, .uint64: 8
        }
    }
}

/// A Swift type with its safetensors name.
package protocol TensorElement: BitwiseCopyable {
    /// How the format calls it.
    static var tensorType: TensorType { get }
}

extension Float: TensorElement { package static var tensorType: TensorType { .float32 } }
extension Int32: TensorElement { package static var tensorType: TensorType { .int32 } }
extension UInt32: TensorElement { package static var tensorType: TensorType { .uint32 } }
extension Int64: TensorElement { package static var tensorType: TensorType { .int64 } }
extension UInt64: TensorElement { package static var tensorType: TensorType { .uint64 } }
extension UInt8: TensorElement { package static var tensorType: TensorType { .uint8 } }

/// What a header says of one tensor.
package struct TensorInfo: Sendable, Equatable {
    package let name: String
    /// Its elements.
    package let type: TensorType
    /// Its dimensions.
    package let shape: [Int]
    /// Its bytes within the file.
    package let range: Range<Int>

    /// Elements in all.
    package var count: Int { range.count / type.byteCount }
}
