/// A growable column of plain values that keeps its memory when it is emptied: nothing is allocated in the steady state.
public final class Column<Element: BitwiseCopyable>: @unchecked Sendable {
    /// The first element; valid until the next growth.
    public private(set) var base: UnsafeMutablePointer<Element>
    /// How many elements are in use.
    public private(set) var count = 0
    @usableFromInline private(set) var capacity: Int

    /// An empty column with room for `capacity` elements.
    public init(capacity: Int = 64) {
        self.capacity = max(1, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// One element.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            assert(index < count)
            return base[index]
        }
        set {
            assert(index < count)
            base[index] = newValue
        }
    }

    /// Forgets the elements and keeps the memory.
    @inlinable
    public func removeAll() { setCount(0) }

    /// Adds one element at the end.
    @inlinable
    public func append(_ value: Element) {
        if count == capacity { grow(toHold: count + 1) }
        base[count] = value
        setCount(count + 1)
    }

    /// Makes the column `newCount` long; added elements are not initialized.
    @inlinable
    public func resize(_ newCount: Int) {
        if newCount > capacity { grow(toHold: newCount) }
        setCount(newCount)
    }

    /// Makes the column `newCount` long, every element `value`.
    public func fill(_ newCount: Int, with value: Element) {
        resize(newCount)
        base.update(repeating: value, count: newCount)
    }

    /// The elements as a buffer; valid until the next growth.
    @inlinable
    public var buffer: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: base, count: count) }

    @usableFromInline
    func setCount(_ value: Int) { count = value }

    @usableFromInline
    func grow(toHold needed: Int) {
        let wanted = max(needed, capacity * 2)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = wanted
    }
}
