/// How the report looks: on light and dark grounds, on paper, and on 400 pixels.
enum ReportStyle {
    /// The style sheet.
    static var css: Markup {
        """
        :root{--bg:#f6f7f9;--card:#fff;--text:#1b1f24;--soft:#5b6570;--line:#dde1e6;--good:#00704f;--bad:#b34700;
        --wait:#005a8f;--code:#f1f3f5;\(colors(Palette.colors))}
        @media (prefers-color-scheme:dark){:root{--bg:#0f1215;--card:#181c21;--text:#e7eaee;--soft:#9aa5b1;
        --line:#2c333b;--good:#2fc79a;--bad:#f28b54;--wait:#63b3ed;--code:#12161a;\(colors(Palette.dark))}}
        \(layout)
        \(parts)
        \(paper)
        """
    }

    private static func colors(_ colors: [String]) -> Markup {
        "\(colors.enumerated().map { "--c\($0.offset):\($0.element);" as Markup })"
    }

    private static let layout: Markup = """
        *{box-sizing:border-box}
        html{background:var(--bg);-webkit-text-size-adjust:100%}
        body{margin:0;color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
        font-variant-numeric:tabular-nums}
        main{max-width:1400px;margin:0 auto;padding:20px 24px}
        header,section,.failure{background:var(--card);border:1px solid var(--line);border-radius:10px;
        padding:18px 22px;margin:0 0 18px}
        article{border-top:3px solid var(--line);padding-top:18px;margin-top:30px}
        h1{font-size:26px;line-height:1.2;margin:0;overflow-wrap:anywhere}
        h2{font-size:18px;margin:0 0 12px}
        h3{font-size:14px;margin:20px 0 8px}
        .grid2 h3{margin-top:10px}
        p{margin:6px 0;overflow-wrap:anywhere}
        .soft,.note,.empty,small{color:var(--soft)}td small,th small{display:block;font-size:11.5px;font-weight:400}
        .note b{color:var(--text)}
        .grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:4px 32px}
        .grid2>div,.hot>div{min-width:0}
        .hot{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:4px 32px}
        footer{color:var(--soft);text-align:center;font-size:13px;padding:0 16px 24px}
        @media (max-width:600px){main{padding:10px}header,section,.failure{padding:14px 14px}h1{font-size:22px}}
        """

    private static let parts: Markup = """
        .title{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px}
        .title .state{font-size:13px;font-weight:600;padding:2px 10px;border-radius:20px;border:1.5px solid currentColor}
        .state.finished,.state.done,.best{color:var(--good)}.state.failed,.state.lost,.bad{color:var(--bad)}
        .state.running,.state.restarted,.state.waiting,.state.stopped,.state.warning{color:var(--wait)}
        .limit{font-size:17px;font-weight:600;margin:12px 0 0}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:14px 18px;margin:16px 0 0}
        .cards div{border-left:3px solid var(--line);padding-left:10px;min-width:0}
        .cards dt{font-size:12.5px;color:var(--soft)}
        .cards dd{margin:0;font-size:20px;font-weight:600;line-height:1.25;overflow-wrap:anywhere}
        .cards dd small{display:block;font-size:12.5px;font-weight:400;color:var(--soft)}
        dl{margin:0}dd{margin:0}.facts{display:flex;flex-wrap:wrap;gap:8px 26px}.facts dt{font-size:12.5px;color:var(--soft)}
        .facts dd{overflow-wrap:anywhere}
        .failure{border:2px solid var(--bad)}
        .failure h2{color:var(--bad)}
        pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:10px 12px;margin:8px 0;
        font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-x:auto;white-space:pre-wrap;
        overflow-wrap:anywhere}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:22px 26px}
        .chart{margin:0;min-width:0}
        figcaption{font-weight:600;font-size:14px;margin-bottom:4px}
        svg{display:block;width:100%;height:auto}
        .grid{stroke:var(--line)}.axis{stroke:var(--soft)}
        .tick{fill:var(--soft);font-size:12px}
        .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 8px;padding:0;font-size:13px;
        color:var(--soft)}
        .legend b{color:var(--text);font-weight:600}
        .legend li{overflow-wrap:anywhere}
        .swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
        .stroke{display:inline-block;width:20px;margin-right:6px;vertical-align:middle}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:13.5px}
        th,td{padding:4px 14px 4px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:middle}
        th{font-weight:600;color:var(--soft);font-size:12.5px;white-space:nowrap;vertical-align:bottom}
        th:last-child,td:last-child{padding-right:0}
        td{white-space:nowrap}.n{text-align:right}tbody th{color:var(--text);font-size:inherit;vertical-align:middle}
        .id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}
        td.id,td.words{white-space:normal;overflow-wrap:anywhere}td.words{min-width:180px}
        .stack{display:flex;min-width:110px;height:13px;background:var(--code);border-radius:3px;overflow:hidden}
        .stack i{display:block;height:100%;flex:none}
        details{margin:8px 0}
        summary{cursor:pointer;color:var(--soft);padding:4px 0}
        """

    private static let paper: Markup = """
        @media print{
        :root{--bg:#fff;--card:#fff;--text:#000;--soft:#444;--line:#ccc;--code:#f4f4f4;color-scheme:light;
        \(colors(Palette.colors))}
        body{font-size:11pt}main{max-width:none;padding:0}
        header,section,.failure{border:0;border-bottom:1px solid var(--line);border-radius:0;padding:8px 0}
        .chart,tr,.cards div{break-inside:avoid}h2,h3{break-after:avoid}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .scroll{overflow:visible}
        details::details-content{content-visibility:visible;block-size:auto}
        }
        """
}
