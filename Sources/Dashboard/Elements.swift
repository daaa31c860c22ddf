/// The pieces that the page's sections are made of.
enum Elements {
    /// A column's title, and what it means.
    struct Column {
        let title: String
        let hint: String
        let isNumber: Bool

        init(_ title: String, _ hint: String = "", number: Bool = true) {
            self.title = title
            self.hint = hint
            isNumber = number
        }
    }

    /// A table that scrolls in its own box, so that the page never does sideways.
    static func table(_ id: String, _ label: String, _ columns: [Column], _ rows: [Markup], empty: String) -> Markup {
        if rows.isEmpty { return "<p class=\"empty\">\(empty)</p>" }
        let heads: [Markup] = columns.map {
            "<th scope=\"col\"\(attribute("class", $0.isNumber ? "n" : ""))\(attribute("title", $0.hint))>\($0.title)</th>"
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="\(label)"><table id="\(id)">
            <thead><tr>\(heads)</tr></thead><tbody>
            \(rows)</tbody></table></div>

            """
    }

    /// A section with its title; further words stand right of it.
    static func section(_ id: String, _ title: String, note: Markup = "", _ content: Markup) -> Markup {
        """
        <section id="\(id)" aria-labelledby="\(id)-title"><header><h2 id="\(id)-title">\(title)</h2>\
        <p class="note">\(note)</p></header>
        \(content)</section>

        """
    }

    /// A number with its exact value behind the readable one; `name` is what the API calls that value.
    static func number(_ text: String, exactly value: Int? = nil, below: String = "", name: String = "") -> Markup {
        let exact: Markup = value.map { " data-value=\"\($0)\" title=\"\(Quantity.grouped($0))\"" } ?? ""
        let second: Markup = below.isEmpty ? "" : "<small>\(below)</small>"
        return "<td class=\"n\"\(attribute("data-name", name))\(exact)>\(text)\(second)</td>"
    }

    /// A count.
    static func count(_ value: Int, below: String = "", name: String = "") -> Markup {
        number(Quantity.count(value), exactly: value, below: below, name: name)
    }

    /// A count that should be 0: it stands out when it is not.
    static func fault(_ value: Int, name: String = "") -> Markup {
        let kind: Markup = value > 0 ? "n bad" : "n quiet"
        let sign = value > 0 ? "! " : ""
        return """
            <td class="\(kind)"\(attribute("data-name", name)) data-value="\(value)">\(sign)\(Quantity.count(value))</td>
            """
    }

    /// A word with its sign: color is never the only difference.
    static func state(_ name: String) -> Markup {
        "<span class=\"state \(name)\">\(icon(name))\(name)</span>"
    }

    /// One of the page's signs.
    static func icon(_ name: String) -> Markup {
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-\(name)\"/></svg>"
    }

    /// A share of one as a level of heat.
    static func heat(_ share: Double) -> String {
        "h\(Int((max(0, min(1, share.isFinite ? share : 0)) * 10).rounded()))"
    }

    /// An attribute; nothing where its value is empty.
    static func attribute(_ name: Markup, _ value: String) -> Markup { value.isEmpty ? "" : " \(name)=\"\(value)\"" }

    /// Named values in a row.
    static func facts(_ facts: [(name: String, value: Markup)]) -> Markup {
        let items: [Markup] = facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" }
        return "<dl class=\"facts\">\(items)</dl>\n"
    }

    /// The signs, drawn: fonts differ.
    static let icons: Markup = """
        <svg class="defs" width="0" height="0" aria-hidden="true"><defs>
        <symbol id="i-running" viewBox="0 0 16 16"><path d="M4 2.5v11l9-5.5z"/></symbol>
        <symbol id="i-waiting" viewBox="0 0 16 16"><path d="M4 3h3v10H4zM9 3h3v10H9z"/></symbol>
        <symbol id="i-finished" viewBox="0 0 16 16"><path d="M2 8.6 3.6 7l3 3L12.4 3.6 14 5.2l-7.4 8z"/></symbol>
        <symbol id="i-done" viewBox="0 0 16 16"><path d="M2 8.6 3.6 7l3 3L12.4 3.6 14 5.2l-7.4 8z"/></symbol>
        <symbol id="i-restarted" viewBox="0 0 16 16"><path d="M8 2.2a5.8 5.8 0 1 0 5.8 5.8h-2.2A3.6 3.6 0 1 1 8 4.4V7l4.6-3.6L8 0z"/></symbol>
        <symbol id="i-lost" viewBox="0 0 16 16"><path d="m3.6 2 4.4 4.4L12.4 2 14 3.6 9.6 8l4.4 4.4-1.6 1.6L8 9.6 3.6 14 2 12.4 \
        6.4 8 2 3.6z"/></symbol>
        <symbol id="i-stopped" viewBox="0 0 16 16"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></symbol>
        <symbol id="i-failed" viewBox="0 0 16 16"><path d="M8 1 15.5 15H.5zM7 6v4h2V6zm0 5.5v2h2v-2z" fill-rule="evenodd"/></symbol>
        <symbol id="i-warning" viewBox="0 0 16 16"><path d="M7 2h2v8H7zM7 12h2v2H7z"/></symbol>
        <symbol id="i-joined" viewBox="0 0 16 16"><path d="M7 3h2v4h4v2H9v4H7V9H3V7h4z"/></symbol>
        <symbol id="i-started" viewBox="0 0 16 16"><path d="M4 2.5v11l9-5.5z"/></symbol>
        <symbol id="i-evaluated" viewBox="0 0 16 16"><path d="m8 1 2 4.6 5 .5-3.8 3.3 1.1 4.9L8 11.7l-4.3 2.6 1.1-4.9L1 6.1l5-.5z"/></symbol>
        <symbol id="i-checkpoint" viewBox="0 0 16 16"><path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/></symbol>
        </defs></svg>

        """
}
