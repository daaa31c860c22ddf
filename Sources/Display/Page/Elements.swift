/// The page's signs, and its colors of heat.
enum Elements {
    /// A share of one as a level of heat.
    static func heat(_ share: Double) -> String {
        "h\(Int((max(0, min(1, share.isFinite ? share : 0)) * 10).rounded()))"
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
        <symbol id="i-best" viewBox="0 0 16 16"><use href="#i-evaluated"/></symbol>
        <symbol id="i-checkpoint" viewBox="0 0 16 16"><path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/></symbol>
        </defs></svg>

        """
}
