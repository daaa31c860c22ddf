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
        try LineReader.read(path: path) { line, number in
            fields.cut(line, at: separator)
            if header, number == 1 {
                let given = (0..<fields.count).map { String(fields.text($0).prefix { $0 != ":" }) }
                column = names.compactMap { given.firstIndex(of: $0) }.first ?? -1
                return
            }
            if line.isEmpty || column < 0 { return }
            guard fields.count > column, !fields[0].isEmpty else {
                quarantine.add(path, number, "\(fields.count) fields, expected at least \(column + 1)", line)
                return
            }
            let genres = fields[column]
            let end = genres.firstIndex(of: list) ?? genres.count
            let first = UnsafeBufferPointer(rebasing: genres[0..<end])
            events.setCategory(Events.id(first), of: Events.id(fields[0]))
            quarantine.good()
        }
    }

    /// MovieLens-100K's `u.item`: id|title|…| and 19 flags, the genre being the first that is set.
    static func readFlags(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        var fields = Fields()
        try LineReader.read(path: path) { line, number in
            if line.isEmpty { return }
            fields.cut(line, at: [UInt8(ascii: "|")])
            guard fields.count >= 24 else {
                quarantine.add(path, number, "\(fields.count) fields, expected 24", line)
                return
            }
            let flag = (5..<24).first { fields.text($0) == "1" }
            var name = "genre \(flag.map { $0 - 5 } ?? 0)"
            let category = name.withUTF8 { Events.id($0) }
            events.setCategory(category, of: Events.id(fields[0]))
            quarantine.good()
        }
    }
}
