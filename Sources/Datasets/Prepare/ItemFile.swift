import Foundation

/// Reads a file of items into categories: one column names the item, another lists its genres, the first of which counts.
struct ItemFile {
    let separator: [UInt8]
    let header: Bool
    /// Column of the genres by name (the first that is there), or by place when there is no header.
    let names: [String]
    let place: Int
    /// What parts the genres of a list.
    let list: UInt8

    /// `ratings.csv`'s neighbor: movieId,title,genres with a header, genres parted by |.
    static let csv = ItemFile(separator: [44], header: true, names: ["genres"], place: 2, list: 124)
    /// `movies.dat`: id::title::genres.
    static let dat = ItemFile(separator: [58, 58], header: false, names: [], place: 2, list: 124)
    /// RecBole's `.item`: token sequences parted by blanks.
    static let recbole = ItemFile(
        separator: [9], header: true, names: ["class", "genre", "genres", "categories", "category"], place: -1, list: 32
    )

    func read(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        var fields = Fields()
        var column = place
        func cut(_ line: UnsafeBufferPointer<UInt8>) throws -> Bool {
            fields.cut(line, at: separator)
            guard header else { return false }
            let given = (0..<fields.count).map { String(fields.text($0).prefix { $0 != ":" }) }
            guard let found = names.lazy.compactMap({ given.firstIndex(of: $0) }).first else { throw NoGenres() }
            column = found
            return true
        }
        let row = { (line: UnsafeBufferPointer<UInt8>, _: Int) -> String? in
            fields.cut(line, at: separator)
            guard fields.count > column, !fields[0].isEmpty else {
                return "\(fields.count) fields, expected at least \(column + 1)"
            }
            let first = fields[column].prefix { $0 != list }
            events.setCategory(Events.id(UnsafeBufferPointer(rebasing: first)), of: Events.id(fields[0]))
            return nil
        }
        do { try quarantine.read(path, header: cut, row) } catch is NoGenres {}
    }

    /// There is nothing to read: no column of the header lists genres.
    private struct NoGenres: Error {}

    /// MovieLens-100K's `u.item`: id|title|…| and 19 flags, the genre being the first that is set.
    static func readFlags(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        var fields = Fields()
        try quarantine.read(path) { line, _ in
            fields.cut(line, at: [UInt8(ascii: "|")])
            guard fields.count >= 24 else { return "\(fields.count) fields, expected 24" }
            let flag = (5..<24).first { fields.text($0) == "1" }
            events.setCategory(Amazon.id("genre \(flag.map { $0 - 5 } ?? 0)"), of: Events.id(fields[0]))
            return nil
        }
    }
}
