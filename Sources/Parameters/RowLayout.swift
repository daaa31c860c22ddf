/// Where the parts of a stored row lie: `[weights][optimizer slots][count][last step]`, in units of four bytes.
///
/// One contiguous row means one or two cache misses for an update, not four. Count and step are integers kept in the
/// bits of a float; they are only ever moved, never computed with as floats.
package struct RowLayout: Sendable, Equatable {
    /// Floats of the embedding.
    package let width: Int
    /// Floats of optimizer state.
    package let slots: Int

    /// Units from one row to the next.
    package var stride: Int { width + slots + 2 }

    /// Bytes of weights and optimizer state: what a row must cost; all else is overhead.
    package var payloadBytes: Int { (width + slots) * MemoryLayout<Float>.stride }

    /// How many samples contained the id (running) or contain it in the training data (prepared).
    @inline(__always)
    func count(of row: UnsafeMutablePointer<Float>) -> UInt32 { row[width &+ slots].bitPattern }

    /// Stores the sample count.
    @inline(__always)
    func setCount(_ count: UInt32, of row: UnsafeMutablePointer<Float>) {
        row[width &+ slots] = Float(bitPattern: count)
    }

    /// The step that updated the row last; 0 for never.
    @inline(__always)
    func step(of row: UnsafeMutablePointer<Float>) -> UInt32 { row[width &+ slots &+ 1].bitPattern }

    /// Stores the step of the last update.
    @inline(__always)
    func setStep(_ step: UInt32, of row: UnsafeMutablePointer<Float>) {
        row[width &+ slots &+ 1] = Float(bitPattern: step)
    }
}
