import Wire

/// What a seed makes of a simulated cluster: its shape, its plan, and everything that goes wrong.
struct Scenario: Sendable, CustomStringConvertible {
    /// Which of the plans.
    var plan = 0
    var servers = 1
    var shards = 1
    var workers = 1
    var weather = Cable.Weather()
    /// Milliseconds until a process says hello, and that it needs to be built.
    var starts = 0.1...10.0
    var builds = 0.1...10.0
    /// Stops of whole processes: how many, and for how many milliseconds.
    var pauses = 0
    var pause = 1.0...1000.0
    /// One part of a checkpoint in so many cannot be written, one commit cannot be made; 0 for none.
    var fullDisks = 0
    /// When somebody stops the job in order, if at all.
    var stop: Duration?
    /// Whether that waits until workers are told to go on from a decision, and comes a moment later.
    var stopsAfterDecision = false
    /// Milliseconds between the messages of strangers; nil for no stranger.
    var strangers: ClosedRange<Double>?
    var requestTimeout = Duration.seconds(2)

    /// One process of each kind in good weather.
    init(plan: Int) { self.plan = plan }

    /// The scenario of a seed.
    init(seed: UInt64) {
        var random = Seeded(seed)
        plan = random.pick(0...SimulatedJob.plans.count - 1)
        servers = random.pick(1...(random.oneIn(4) ? 7 : 3))
        shards = random.pick(1...3)
        workers = random.pick(1...(random.oneIn(4) ? 9 : 5))
        if !random.oneIn(8) {
            weather.delay = 0.05...[2, 30, 400][random.pick(0...2)]
            if random.oneIn(2) { weather.loses = random.pick(15...200) }
            if random.oneIn(2) { weather.doubles = random.pick(5...100) }
            if random.oneIn(2) { weather.replays = random.pick(5...100) }
            if random.oneIn(2) { weather.cutsControl = 500...4000 }
            if random.oneIn(3) { weather.cutsData = 1000...8000 }
            weather.lasts = .seconds(random.pick(5...40))
        }
        if random.oneIn(2) { starts = 0.1...20_000 }
        if random.oneIn(2) { builds = 0.1...(random.oneIn(4) ? 60_000 : 3000) }
        if random.oneIn(2) { pauses = random.pick(1...12) }
        if random.oneIn(3) { pause = 100...9000 }
        if random.oneIn(4) { fullDisks = random.pick(2...20) }
        if random.oneIn(3) { stop = random.milliseconds(1...20_000) }
        if random.oneIn(3) { strangers = 5...1000 }
        requestTimeout = random.milliseconds(200...5000)
        stopsAfterDecision = random.oneIn(2)
    }

    var description: String {
        var text = "plan \(plan), \(servers) servers with \(shards) shards, \(workers) workers"
        if weather.loses > 0 { text += ", loses 1 of \(weather.loses)" }
        if weather.doubles > 0 { text += ", doubles 1 of \(weather.doubles)" }
        if weather.replays > 0 { text += ", replays 1 of \(weather.replays)" }
        if weather.cutsControl != nil { text += ", cuts control" }
        if weather.cutsData != nil { text += ", cuts data" }
        if pauses > 0 { text += ", \(pauses) pauses" }
        if fullDisks > 0 { text += ", full disks" }
        if strangers != nil { text += ", strangers" }
        if let stop { text += ", stopped after \(stop)\(stopsAfterDecision ? " and a decision" : "")" }
        return text
    }
}
