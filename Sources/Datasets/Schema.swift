/// Which fields a dataset has, and which embedding table each one reads.
///
/// The order of `tables` gives the table index. The leading fields of item and behavior that read the same tables in the
/// same order (`comparedCount`) are what a target and a behavior are compared by; either may have more fields behind.
package struct Schema: Codable, Sendable, Equatable {
    /// One id column.
    package struct Field: Codable, Sendable, Equatable {
        /// The name within its group of fields.
        package let name: String
        /// The embedding table that its ids belong to.
        package let table: String
        /// The stored column's name within the group.
        package let column: String

        /// A field; `column` is `name` when not given.
        package init(_ name: String, table: String, column: String? = nil) {
            self.name = name
            self.table = table
            self.column = column ?? name
        }
    }

    /// Embedding tables in index order.
    package var tables: [String]
    /// Fields of the user, one id per impression.
    package var user: [Field]
    /// Fields of the target item, one id per sample.
    package var item: [Field]
    /// Fields of one behavior of the history.
    package var behavior: [Field]
    /// Fields of the impression's circumstances.
    package var context: [Field]
    /// Copies of item columns that read a table of their own (the official code's item bias); not stored twice.
    package var bias: [Field]
    /// Names of the dense float columns, one value each per sample.
    package var numeric: [String]

    /// A schema of the given fields.
    package init(
        tables: [String], user: [Field] = [], item: [Field], behavior: [Field], context: [Field] = [],
        bias: [Field] = [], numeric: [String] = []
    ) {
        self.tables = tables
        self.user = user
        self.item = item
        self.behavior = behavior
        self.context = context
        self.bias = bias
        self.numeric = numeric
    }

    /// How many ids a sample with one behavior has.
    package var fieldCount: Int { user.count + item.count + behavior.count + context.count + bias.count }

    /// The index of a table; nil when there is none of this name.
    package func table(named name: String) -> Int? { tables.firstIndex(of: name) }

    /// How many leading fields of item and behavior read the same tables.
    package var comparedCount: Int { zip(item, behavior).prefix { $0.table == $1.table }.count }

    /// What is wrong with the schema, or nil.
    package var problem: String? {
        if item.isEmpty { return "has no item field" }
        let groups = [("user", user), ("item", item), ("behavior", behavior), ("context", context), ("bias", bias)]
        let fields = groups.flatMap { group, fields in
            fields.flatMap { [("\(group) field", $0.name), ("column of a \(group) field", $0.column)] }
        }
        for (what, name) in tables.map({ ("table", $0) }) + fields + numeric.map({ ("numeric column", $0) }) {
            if let problem = Names.problem(name) { return "has a \(what) \(shown(name)), which \(problem)" }
        }
        if Set(tables).count != tables.count { return "names a table twice" }
        if Set(numeric).count != numeric.count { return "names a numeric column twice" }
        if !(1...255).contains(tables.count) { return "has \(tables.count) tables, expected 1 to 255" }
        for (group, fields) in groups {
            if Set(fields.map(\.name)).count != fields.count { return "names a \(group) field twice" }
            for field in fields where table(named: field.table) == nil {
                return "has \(group) field '\(field.name)' in table '\(field.table)', which is not in its tables"
            }
        }
        if !behavior.isEmpty, comparedCount == 0 {
            return "needs item and behavior fields that begin with the same table, to compare a target with a behavior"
        }
        if behavior.contains(where: { $0.column == "time" }) {
            return "has a behavior column 'time', where the times of behaviors are stored: give it another name"
        }
        for field in bias where !item.contains(where: { $0.column == field.column }) {
            return "has bias field '\(field.name)', whose column '\(field.column)' is no item column"
        }
        return nil
    }
}
