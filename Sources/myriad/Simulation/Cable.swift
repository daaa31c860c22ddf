import Wire

/// One ZeroMQ connection of the simulated network: messages keep their order, and may be late, lost or doubled; a cut loses
/// all that is under way, and what comes next comes over a new connection.
final class Cable {
    /// How badly the network behaves, until it becomes calm.
    struct Weather {
        /// One message in so many is lost, or comes twice, or again seconds later; 0 for none.
        var loses = 0
        var doubles = 0
        var replays = 0
        /// Milliseconds of a message's way.
        var delay = 0.05...2.0
        /// Between two cuts of a connection to the scheduler, and of one to a shard; nil for none.
        var cutsControl: ClosedRange<Double>?
        var cutsData: ClosedRange<Double>?
        /// Until when.
        var lasts = Duration.seconds(30)
    }

    /// Under which name the listening end knows the connection.
    fileprivate(set) var name: [UInt8] = []
    private let network: Network
    private let toListener: (Message, [UInt8]) -> Void
    private let toCaller: (Message) -> Void
    private var epoch = 0
    private var reconnected: ContinuousClock.Instant
    /// When the newest message to each end arrives.
    private var latest: (listener: ContinuousClock.Instant, caller: ContinuousClock.Instant)

    fileprivate init(
        _ network: Network, toListener: @escaping (Message, [UInt8]) -> Void, toCaller: @escaping (Message) -> Void
    ) {
        self.network = network
        self.toListener = toListener
        self.toCaller = toCaller
        reconnected = network.timeline.now
        latest = (reconnected, reconnected)
    }

    /// The calling end sends; while it is cut off, its messages wait.
    func call(_ message: Message) {
        fly(since: max(network.timeline.now, reconnected), &latest.listener) { [self] in toListener(message, name) }
    }

    /// The listening end answers.
    func answer(_ message: Message) {
        fly(since: network.timeline.now, &latest.caller) { [self] in toCaller(message) }
    }

    /// Loses all that is under way.
    func cut() {
        epoch += 1
        network.plug(self)
        reconnected = network.timeline.now + network.random.milliseconds(20...800)
        latest = (reconnected, reconnected)
    }

    private func fly(
        since time: ContinuousClock.Instant, _ latest: inout ContinuousClock.Instant, _ arrive: @escaping () -> Void
    ) {
        let (weather, epoch) = (network.weather, epoch)
        if weather.loses > 0, network.random.oneIn(weather.loses) { return }
        let arriveUncut = { [self] in if epoch == self.epoch { arrive() } }
        for _ in 0..<(weather.doubles > 0 && network.random.oneIn(weather.doubles) ? 2 : 1) {
            latest = max(latest, time + network.random.milliseconds(weather.delay))
            network.timeline.at(latest, arriveUncut)
        }
        guard weather.replays > 0, network.random.oneIn(weather.replays) else { return }
        // Over another connection than its own, as whoever recorded it would.
        network.timeline.at(time + network.random.milliseconds(10...5000), arrive)
    }
}

/// All connections, the weather over them, and the random numbers that decide.
final class Network {
    let timeline: Timeline
    var random: Seeded
    private let storm: Cable.Weather
    private var cables: [[UInt8]: Cable] = [:]
    /// Called with what a worker is about to send to a shard.
    var overheard: ((_ message: Message, _ shard: Int) -> Void)?
    private var names = 0

    init(_ timeline: Timeline, _ random: Seeded, _ storm: Cable.Weather) {
        self.timeline = timeline
        self.random = random
        self.storm = storm
    }

    /// The weather right now.
    var weather: Cable.Weather { timeline.elapsed < storm.lasts ? storm : Cable.Weather() }

    func clear() { (cables, overheard) = ([:], nil) }

    /// Gives a connection a new name.
    fileprivate func plug(_ cable: Cable) {
        cables[cable.name] = nil
        names += 1
        cable.name = [0, UInt8(names >> 16 & 255), UInt8(names >> 8 & 255), UInt8(names & 255)]
        cables[cable.name] = cable
    }

    /// Answers over a connection, if it still is one.
    func answer(_ message: Message, to name: [UInt8]) { cables[name]?.answer(message) }

    /// Lays a connection, which is cut now and then if the weather says so.
    func connect(
        isControl: Bool, toListener: @escaping (Message, [UInt8]) -> Void, toCaller: @escaping (Message) -> Void
    ) -> Cable {
        let cable = Cable(self, toListener: toListener, toCaller: toCaller)
        plug(cable)
        if let pauses = isControl ? storm.cutsControl : storm.cutsData { cutLater(cable, pauses) }
        return cable
    }

    private func cutLater(_ cable: Cable, _ pauses: ClosedRange<Double>) {
        timeline.after(random.milliseconds(pauses)) { [self] in
            guard timeline.elapsed < storm.lasts else { return }
            cable.cut()
            cutLater(cable, pauses)
        }
    }
}
