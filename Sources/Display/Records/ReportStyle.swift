import CShims

/// How the report looks: as the page does, and on paper.
enum ReportStyle {
    /// The style sheet: the page's, and what only a report has.
    static var css: Markup {
        """
        \(Markup(stringLiteral: String(cString: myriad_page_css())))
        :root{\(colors(Palette.colors))}
        @media (prefers-color-scheme:dark){:root{\(colors(Palette.dark))}}
        \(own)
        @media print{
        :root{\(colors(Palette.colors))}
        \(paper)
        }
        """
    }

    private static func colors(_ colors: [String]) -> Markup {
        "\(colors.enumerated().map { "--c\($0.offset):\($0.element);" as Markup })"
    }

    private static let own: Markup = """
        main{max-width:1400px}
        article{display:grid;grid-template-columns:minmax(0,1fr);gap:14px;border-top:3px solid var(--line);padding-top:18px;
        margin-top:16px}
        .scroll{max-height:none}
        .grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:4px 32px}
        .grid2>div{min-width:0}.grid2 h3{margin-top:10px;font-size:13px}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:14px 18px;margin-top:10px}
        .cards div{border-left:3px solid var(--line);padding-left:10px;min-width:0}
        .cards dt{color:var(--muted);font-size:12px}
        .cards dd{font-size:20px;font-weight:600;line-height:1.25;overflow-wrap:anywhere}.cards small{display:block}
        .chart svg{height:auto}.axis{stroke:var(--muted)}
        .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 8px;padding:0;color:var(--muted)}
        .legend b{color:var(--text);font-weight:600}.legend li{overflow-wrap:anywhere}
        .stroke{display:inline-block;width:20px;margin-right:6px;vertical-align:middle}
        .stack{display:flex;min-width:110px;height:13px;background:var(--track);border-radius:3px;overflow:hidden}
        .stack i{display:block;height:100%;flex:none}
        td.id{white-space:normal;overflow-wrap:anywhere}
        pre{max-height:none;white-space:pre-wrap;overflow-wrap:anywhere}
        """

    private static let paper: Markup = """
        :root{--ground:#fff;--surface:#fff;--raised:#f4f4f4;--text:#000;--muted:#444;--line:#ccc;--track:#e4e8ec;
        --bad:#b3360b;--bad-ground:#fff;--good:#00694b;--accent:#0072b2;--shadow:none;color-scheme:light}
        body{font-size:11pt}main{max-width:none;padding:0}
        .chart,tr,.cards div{break-inside:avoid}h2,h3{break-after:avoid}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .scroll{overflow:visible;background:none}thead th{position:static}
        details::details-content{content-visibility:visible;block-size:auto}
        """
}
