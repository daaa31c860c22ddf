import Foundation

/// Which columns of a delimited file mean what.
package struct DelimitedSchema: Codable, Sendable, Equatable {
    /// A separator: `tab`, `comma`, `::`, `|`, any one or two characters, or `json` for an object on each line.
    package var separator = "tab"
    /// Whether the first line names the columns; then columns are names, otherwise numbers from 1.
    package var header = true
    /// Column of the user.
    package var user = "user"
    /// Column of the item.
    package var item = "item"
    /// Column of the item's category; empty for none.
    package var category = ""
    /// Column of the time or position; empty for the order of lines.
    package var time = ""
    /// Column of a rating; empty for none.
    package var rating = ""
    /// Only lines whose column `only.0` equals `only.1` count, if given: a kind of behavior, say.
    package var only: [String] = []
    /// Columns that describe an event (a kind of behavior, a brand): further fields of the history's behaviors.
    package var behavior: [String] = []

    /// The defaults: a TSV with a header and columns `user` and `item`.
    package init() {}

    /// Reads a schema's file strictly.
    package init(path: String) throws(PrepareError) {
        do {
            self = try PlainYAML.decode(from: PlainYAML.text(of: path), over: DelimitedSchema())
        } catch {
            throw .option("schema", "\(path) cannot be read: \(error)")
        }
        guard only.isEmpty || only.count == 2 else {
            throw .option("schema", "\(path): only has \(only.count) values, expected a column and what it must hold")
        }
    }

    /// Names of the further fields of behaviors, and of their tables.
    var behaviorNames: [String] {
        get throws {
            let names = header || separator == "json" ? behavior : behavior.map { "column\($0)" }
            for (place, name) in names.enumerated() {
                let taken = ["user", "item", "category", "time"].contains(name)
                let problem =
                    Names.problem(name)
                    ?? (taken
                        ? "is a name that users, items and times have already"
                        : names[..<place].contains(name) ? "is there twice" : nil)
                if let problem { throw PrepareError.option("schema", "behavior column \(shown(name)) \(problem)") }
            }
            return names
        }
    }

    var separatorBytes: [UInt8] {
        switch separator {
        case "tab": [9]
        case "comma": [UInt8(ascii: ",")]
        case "pipe": [UInt8(ascii: "|")]
        default: Array(separator.utf8)
        }
    }
}

/// Reads delimited files into events.
struct DelimitedReader {
    let schema: DelimitedSchema

    /// Where the columns stand, −1 for those that there are not.
    private struct Columns {
        var (user, item, category, time, rating, only) = (-1, -1, -1, -1, -1, -1)
        var behavior: [Int] = []
        /// The last of them.
        var least = 0
    }

    func read(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        if schema.separator == "json" { return try readObjects(path, into: events, quarantine) }
        let separator = schema.separatorBytes
        guard (1...2).contains(separator.count) else {
            throw PrepareError.option("schema", "separator '\(schema.separator)' is not one or two characters")
        }
        var fields = Fields()
        var columns = schema.header ? Columns() : try columns(of: [], path)
        func header(_ line: UnsafeBufferPointer<UInt8>) throws -> Bool {
            guard schema.header else { return false }
            fields.cut(line, at: separator)
            columns = try self.columns(of: (0..<fields.count).map { name(fields.text($0)) }, path)
            return true
        }
        try quarantine.read(path, header: header) { line, number in
            fields.cut(line, at: separator)
            guard fields.count > columns.least else {
                return "\(fields.count) fields, expected at least \(columns.least + 1)"
            }
            if columns.only >= 0, fields.text(columns.only) != schema.only[1] { return nil }
            guard !fields[columns.user].isEmpty, !fields[columns.item].isEmpty else {
                return "the user or the item is empty"
            }
            let time = columns.time < 0 ? Double(number) : fields.number(columns.time)
            guard let time, time.magnitude < 9e18 else { return "time '\(fields.text(columns.time))' is no number" }
            guard let rating = columns.rating < 0 ? 1 : fields.number(columns.rating) else {
                return "rating '\(fields.text(columns.rating))' is no number"
            }
            let item = Events.id(fields[columns.item])
            events.add(
                user: Events.id(fields[columns.user]), item: item, time: Int64(time), rating: Float(rating),
                extras: columns.behavior.map { Events.id(fields[$0]) })
            if columns.category >= 0 { events.setCategory(Events.id(fields[columns.category]), of: item) }
            return nil
        }
    }

    /// One JSON object a line; the columns are its keys.
    private func readObjects(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try quarantine.read(path) { line, number in
            guard let object = Literal(line), case .object = object else { return "no JSON object" }
            func text(_ key: String) -> String? {
                object[key].flatMap { $0.text ?? $0.number.map(DelimitedReader.plain) }
            }
            if schema.only.count == 2, text(schema.only[0]) != schema.only[1] { return nil }
            guard let user = text(schema.user), let item = text(schema.item), !user.isEmpty, !item.isEmpty else {
                return "'\(schema.user)' or '\(schema.item)' is missing"
            }
            var values = [Double(number), 1]
            for (place, key) in [schema.time, schema.rating].enumerated() where !key.isEmpty {
                guard let value = object[key]?.number ?? text(key).flatMap(Double.init), value.magnitude < 9e18 else {
                    return "'\(key)' is no number"
                }
                values[place] = value
            }
            events.add(
                user: Amazon.id(user), item: Amazon.id(item), time: Int64(values[0]), rating: Float(values[1]),
                extras: schema.behavior.map { Amazon.id(text($0) ?? "") })
            if let category = text(schema.category) { events.setCategory(Amazon.id(category), of: Amazon.id(item)) }
            return nil
        }
    }

    /// A number as an id: without a point where it is whole.
    private static func plain(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 9e15 ? String(Int(number)) : String(number)
    }

    /// A column's name; RecBole's carry a type after a colon, and a file may begin with a byte order mark.
    private func name(_ text: String) -> String {
        var name = text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text
        for type in [":token_seq", ":float_seq", ":token", ":float"] where name.hasSuffix(type) {
            name.removeLast(type.count)
        }
        return name
    }

    private func columns(of names: [String], _ path: String) throws -> Columns {
        func find(_ column: String, _ what: String) throws -> Int {
            if column.isEmpty { return -1 }
            if schema.header {
                if let index = names.firstIndex(of: column) { return index }
                throw PrepareError.file(
                    path: path,
                    "has no column '\(column)' for \(what); its header names \(names.joined(separator: ", "))")
            }
            guard let number = Int(column), number >= 1 else {
                throw PrepareError.option(
                    "schema", "\(what) is column '\(column)'; without a header columns are numbers from 1")
            }
            return number - 1
        }
        var columns = Columns()
        columns.user = try find(schema.user, "the user")
        columns.item = try find(schema.item, "the item")
        guard columns.user >= 0, columns.item >= 0 else {
            throw PrepareError.option("schema", "the columns of user and item must be given")
        }
        columns.category = try find(schema.category, "the category")
        columns.time = try find(schema.time, "the time")
        columns.rating = try find(schema.rating, "the rating")
        if schema.only.count == 2 { columns.only = try find(schema.only[0], "'only'") }
        columns.behavior = try schema.behavior.map { try find($0, "a behavior") }
        columns.least = max(
            columns.user, columns.item, columns.category, columns.time, columns.rating, columns.only,
            columns.behavior.max() ?? 0)
        return columns
    }
}
