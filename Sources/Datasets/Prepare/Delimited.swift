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

    /// What the file gives, over the defaults.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
            value = try values.decodeIfPresent(T.self, forKey: key) ?? value
        }
        try read(.separator, &separator)
        try read(.header, &header)
        try read(.user, &user)
        try read(.item, &item)
        try read(.category, &category)
        try read(.time, &time)
        try read(.rating, &rating)
        try read(.only, &only)
        try read(.behavior, &behavior)
    }

    /// Reads a schema's file strictly.
    package init(path: String) throws(PrepareError) {
        do {
            self = try PlainYAML.decode(DelimitedSchema.self, from: PlainYAML.text(of: path))
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

    private struct Columns {
        var user = -1
        var item = -1
        var category = -1
        var time = -1
        var rating = -1
        var only = -1
        var behavior: [Int] = []
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
        try LineReader.read(path: path) { line, number in
            fields.cut(line, at: separator)
            if number == 1, schema.header {
                let names = (0..<fields.count).map { name(fields.text($0)) }
                columns = try self.columns(of: names, path)
                return
            }
            if line.isEmpty { return }
            guard fields.count > columns.least else {
                quarantine.add(path, number, "\(fields.count) fields, expected at least \(columns.least + 1)", line)
                return
            }
            if columns.only >= 0, fields.text(columns.only) != schema.only[1] {
                quarantine.good()
                return
            }
            guard !fields[columns.user].isEmpty, !fields[columns.item].isEmpty else {
                quarantine.add(path, number, "the user or the item is empty", line)
                return
            }
            var (time, rating) = (Double(number), 1.0)
            if columns.time >= 0 {
                guard let value = fields.number(columns.time), value.magnitude < 9e18 else {
                    quarantine.add(path, number, "time '\(fields.text(columns.time))' is no number", line)
                    return
                }
                time = value
            }
            if columns.rating >= 0 {
                guard let value = fields.number(columns.rating) else {
                    quarantine.add(path, number, "rating '\(fields.text(columns.rating))' is no number", line)
                    return
                }
                rating = value
            }
            let item = Events.id(fields[columns.item])
            events.add(
                user: Events.id(fields[columns.user]), item: item, time: Int64(time), rating: Float(rating),
                extras: columns.behavior.map { Events.id(fields[$0]) })
            if columns.category >= 0 { events.setCategory(Events.id(fields[columns.category]), of: item) }
            quarantine.good()
        }
    }

    /// One JSON object a line; the columns are its keys.
    private func readObjects(_ path: String, into events: Events, _ quarantine: Quarantine) throws {
        try LineReader.read(path: path) { line, number in
            if line.isEmpty { return }
            guard let object = Literal(line), case .object = object else {
                quarantine.add(path, number, "no JSON object", line)
                return
            }
            func text(_ key: String) -> String? {
                object[key].flatMap { $0.text ?? $0.number.map(DelimitedReader.plain) }
            }
            if schema.only.count == 2, text(schema.only[0]) != schema.only[1] {
                quarantine.good()
                return
            }
            guard let user = text(schema.user), let item = text(schema.item), !user.isEmpty, !item.isEmpty else {
                quarantine.add(path, number, "'\(schema.user)' or '\(schema.item)' is missing", line)
                return
            }
            var values = (time: Double(number), rating: 1.0)
            for (key, isTime) in [(schema.time, true), (schema.rating, false)]
            where !key.isEmpty {
                guard let value = object[key]?.number ?? text(key).flatMap(Double.init), value.magnitude < 9e18 else {
                    quarantine.add(path, number, "'\(key)' is no number", line)
                    return
                }
                if isTime { values.time = value } else { values.rating = value }
            }
            events.add(
                user: Amazon.id(user), item: Amazon.id(item), time: Int64(values.time), rating: Float(values.rating),
                extras: schema.behavior.map { Amazon.id(text($0) ?? "") })
            if let category = text(schema.category) { events.setCategory(Amazon.id(category), of: Amazon.id(item)) }
            quarantine.good()
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
        columns.least =
            ([
                columns.user, columns.item, columns.category, columns.time, columns.rating, columns.only,
            ] + columns.behavior).max() ?? 0
        return columns
    }
}
