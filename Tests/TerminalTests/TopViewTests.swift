import Display
import Telemetry
import Testing

@Suite struct TopViewTests {
    private let live = Moment(now: Simulated.time + 0.5, isLive: true)

    private func type(_ text: String, into view: inout TopView) -> TopView.Reply { view.type(Array(text.utf8)) }

    @Test(
        "a frame fills the window and never more",
        arguments: [(40, 10), (80, 24), (200, 60), (20, 5), (1, 1), (120, 3)])
    func sizes(width: Int, height: Int) {
        for status in [
            Simulated.status(), Simulated.status(shards: 64, workers: 256), Simulated.failed(), ClusterStatus(),
        ] {
            for keys in ["", "s", "h", "w", "p", "?", "wjjjj"] {
                var view = TopView()
                for key in keys { _ = view.type(Array(String(key).utf8)) }
                let frame = view.frame(
                    Scene(status, at: live, width: width), series: Simulated.series(), height: height)
                #expect(frame.count == height)
                for line in frame { #expect(line.width <= width, "\(keys) \(width): \(line.text)") }
            }
        }
    }

    @Test("80 × 24 shows state, step, limit, curves, the shards, skew, waits and keys")
    func classic() {
        var view = TopView()
        let frame = view.frame(
            Scene(Simulated.status(), at: live, width: 80), series: Simulated.series(), height: 24
        )
        .map(\.text)
        let text = frame.joined(separator: "\n")
        #expect(frame[0].hasPrefix(" din-1  running  step 1,204 of 3,000 (epoch 2 of 4)"))
        for part in [
            "limited by compute of worker 1 (91 %)", "samples/s   67,688   █", "train loss  0.4123   ", "rows 4.97 M",
            "best validation AUC 0.9026", "worker 1 waits 7.5 s for values of shard 1", "SHARD", "skew (largest/mean)",
            "q quit  s sort: number",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(frame.filter { $0.contains("1.24 M") }.count == 4)
    }

    @Test("s sorts, h, w, p and ? show and hide, q, Esc and Ctrl-C quit, arrows scroll")
    func keys() {
        var view = TopView()
        #expect(type("s", into: &view) == .redraw && view.order == .rows)
        let status = Simulated.status(shards: 64, workers: 256)
        var frame = view.frame(Scene(status, at: live, width: 80), series: [], height: 24).map(\.text)
        #expect(frame.first { $0.contains("running  ") && !$0.contains("din-1") }?.contains(" 63  ") == true)
        for order in ["traffic", "latency", "busy", "number"] {
            #expect(type("s", into: &view) == .redraw && view.order.rawValue == order)
        }
        #expect(type("h", into: &view) == .redraw && view.pane == .hot)
        #expect(type("t", into: &view) == .redraw)
        frame = view.frame(Scene(status, at: live, width: 80), series: [], height: 24).map(\.text)
        #expect(frame.contains { $0.hasPrefix("category: ~80.1 M distinct ids") })
        #expect(type("w", into: &view) == .redraw && view.pane == .workers)
        for _ in 0..<3 { _ = type("j", into: &view) }
        #expect(type("\u{1b}[5~", into: &view) == .redraw && view.offset == 0)
        for _ in 0..<300 { _ = type("\u{1b}[B", into: &view) }
        frame = view.frame(Scene(status, at: live, width: 80), series: [], height: 24).map(\.text)
        #expect(frame.contains { $0.hasPrefix("   255  running") })
        #expect(frame.contains { $0.hasSuffix("above, 0 below (arrows, j, k)") })
        #expect(type("\u{1b}[A", into: &view) == .redraw)
        frame = view.frame(Scene(status, at: live, width: 80), series: [], height: 24).map(\.text)
        #expect(frame.contains { $0.hasSuffix("above, 1 below (arrows, j, k)") })
        #expect(type("w", into: &view) == .redraw && view.pane == .shards && view.offset == 0)
        #expect(type("p", into: &view) == .redraw && view.pane == .processes)
        #expect(type("?", into: &view) == .redraw && view.pane == .help)
        #expect(type("x", into: &view) == .ignore && type("\u{1b}[99~", into: &view) == .ignore)
        #expect(view.type([26]) == .suspend)
        for bytes: [UInt8] in [[27], [3], Array("q".utf8)] { #expect(view.type(bytes) == .quit) }
    }

    @Test("a scheduler that stopped answering is told above the last figures")
    func trouble() {
        var view = TopView()
        let frame = view.frame(
            Scene(Simulated.status(), at: live, width: 80), series: [], trouble: "the scheduler does not answer",
            height: 24)
        #expect(frame[1].text == "the scheduler does not answer")
    }
}
