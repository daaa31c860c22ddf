import Telemetry

/// `myriad report`: everything that a run's files tell, as one page without scripts or anything from elsewhere.
package struct Report {
    private let runs: [RecordedRun]

    /// Of one run, or of several whose curves lie over each other.
    package init(_ runs: [RecordedRun]) { self.runs = runs }

    /// The page.
    package var html: String {
        let title = runs.map(\.name).joined(separator: ", ")
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title) – Myriad</title>
            <style>
            \(ReportStyle.css)
            </style>
            </head>
            <body>
            <main>
            \(runs.count == 1 ? "\(runs.map(whole))" : comparison)
            </main>
            <footer>Made by myriad report from the files of the run.</footer>
            </body>
            </html>
            """
        return page.text + "\n"
    }

    private func whole(_ run: RecordedRun) -> Markup {
        """
        \(ReportHeadline(run).markup)
        \(Sheet(.report, run.status).section("", "Curves", ReportCurves([run]).markup))
        \(details(of: run))
        """
    }

    private var comparison: Markup {
        """
        <header class="top"><h1>\(runs.count) runs</h1></header>
        \(ReportHeadline.table(runs))
        \(Sheet(.report, ClusterStatus()).section("", "Curves", ReportCurves(runs).markup))
        \(runs.map { run -> Markup in
            """
            <article>\(ReportHeadline(run).markup)
            \(details(of: run))</article>
            """
        })
        """
    }

    private func details(of run: RecordedRun) -> Markup {
        let sheet = Sheet(.report, run.status)
        return """
            \(sheet.evaluations)\(sheet.shards())\(sheet.workers)\(sheet.tables)\(sheet.faults)\(sheet.events())\
            \(sheet.nodes(above: sheet.environment))\
            \(sheet.section("", "Configuration", ReportSettings.configuration(run, sheet)))
            """
    }
}
