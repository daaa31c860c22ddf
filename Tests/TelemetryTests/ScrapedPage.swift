/// What a page in text format 0.0.4 says, read strictly: whatever a reader may trip over is an error.
struct ScrapedPage {
    /// What is wrong with a page.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// A family's head.
    struct Family: Equatable {
        var help = ""
        var type = ""
        /// Labels of its samples but `le`, sorted.
        var labels: Set<String> = []
    }

    /// A line with a number.
    struct Series: Hashable {
        let name: String
        let labels: [String: String]
    }

    private(set) var families: [String: Family] = [:]
    private(set) var order: [String] = []
    private(set) var samples: [Series: Double] = [:]

    init(_ text: String) throws {
        guard text.last == "\n" else { throw Malformed(description: "the last line has no end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") { try head(line) } else { try sample(line) }
        }
    }

    private mutating func head(_ line: Substring) throws {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4 else { throw Malformed(description: "head: \(line)") }
        let name = String(words[2])
        switch words[1] {
        case "HELP":
            guard families[name] == nil else { throw Malformed(description: "\(name) begins twice") }
            order.append(name)
            families[name] = Family(help: String(words[3]))
        case "TYPE":
            guard order.last == name, families[name]?.type == "" else {
                throw Malformed(description: "\(name): a type without its help")
            }
            families[name]?.type = String(words[3])
        default: throw Malformed(description: "head: \(line)")
        }
    }

    private mutating func sample(_ line: Substring) throws {
        let name = String(line.prefix { $0 != "{" && $0 != " " })
        var rest = line.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest = rest.dropFirst()
                let key = String(rest.prefix { $0.isLetter || $0 == "_" })
                rest = rest.dropFirst(key.count)
                guard rest.hasPrefix("=\""), labels[key] == nil else { throw Malformed(description: "\(line)") }
                rest = rest.dropFirst(2)
                labels[key] = try value(&rest)
            } while rest.first == ","
            guard rest.first == "}" else { throw Malformed(description: "\(line)") }
            rest = rest.dropFirst()
        }
        guard rest.first == " ", let number = Double(rest.dropFirst()), number.isFinite else {
            throw Malformed(description: "no finite number: \(line)")
        }
        let series = Series(name: name, labels: labels)
        guard samples.updateValue(number, forKey: series) == nil else {
            throw Malformed(description: "twice: \(line)")
        }
        // Samples stand below the head of their family, and all together.
        guard let family = order.last, let type = families[family]?.type, !type.isEmpty else {
            throw Malformed(description: "no family: \(line)")
        }
        let endings = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard endings.contains(where: { name == family + $0 }) else {
            throw Malformed(description: "in family \(family): \(line)")
        }
        let keys = Set(labels.keys).subtracting(["le"])
        if families[family]?.labels.isEmpty != false { families[family]?.labels = keys }
        guard families[family]?.labels == keys else { throw Malformed(description: "other labels: \(line)") }
    }

    /// A label's value up to its closing quotation mark.
    private func value(_ rest: inout Substring) throws -> String {
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return value
            case "\\":
                switch rest.popFirst() {
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                case "n": value.append("\n")
                default: throw Malformed(description: "an escape that does not exist: \(rest)")
                }
            default: value.append(character)
            }
        }
        throw Malformed(description: "a label without an end")
    }
}
