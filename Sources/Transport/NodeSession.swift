package import Wire

/// A node's side of the control path as a state machine: it says hello until it is welcomed, then shows that it lives.
///
/// What is numbered arrives once and in order, over however many connections.
package struct NodeSession: Sendable {
    static let helloEvery = Duration.seconds(1)
    static let beatEvery = Duration.milliseconds(500)
    /// Between two ticks of a thread that runs; what is longer was a pause.
    package static let longestTurn = Duration.seconds(2)

    /// The header under which this node sends, complete once it is welcomed.
    package private(set) var identity: Header
    /// When the scheduler was last heard of; before the first time, when this began.
    package private(set) var heard: ContinuousClock.Instant
    /// Whether the scheduler was ever heard of.
    package private(set) var wasHeard = false
    /// Whether the node has its place in the job.
    package private(set) var isWelcome = false
    /// What the node says that it does, with every sign of life.
    package var activity: (step: Int, state: String) = (0, "joining")

    private let hello: Hello
    private let wait: Duration
    private var silence: Duration
    private var session = ControlSession<Message>()
    private var sent: ContinuousClock.Instant?
    private var ticked: ContinuousClock.Instant?

    /// A node that has not said anything yet.
    ///
    /// - Parameters:
    ///   - incarnation: drawn by this process: by it the scheduler knows the process again over another connection.
    ///   - wait: how long a scheduler that was never heard of is waited for.
    ///   - silence: how long one that was heard of may say nothing, until a welcome says otherwise.
    package init(
        _ hello: Hello, incarnation: UInt32, wait: Duration, silence: Duration, at time: ContinuousClock.Instant
    ) {
        self.hello = hello
        self.wait = wait
        self.silence = silence
        heard = time
        identity = Header(
            .hello, role: hello.role, rank: UInt16(clamping: hello.wantedRank ?? 0), incarnation: incarnation, job: 0,
            epoch: 0)
    }

    /// Whether the scheduler has everything that it was told.
    package var isSettled: Bool { session.isSettled }

    /// Longer silence than this means that the scheduler is gone.
    package var patience: Duration { wasHeard ? silence : wait }

    /// Whether the scheduler has been silent for too long.
    package func isLost(at time: ContinuousClock.Instant) -> Bool { heard + patience < time }

    /// The message to put on the socket for one that the node wants to send.
    package mutating func send(_ message: Message, at time: ContinuousClock.Instant) -> Message {
        guard message.header.kind.isNumbered else { return message.with(session.unnumbered) }
        return message.with(session.send(message, at: time).numbers)
    }

    /// The same of a control message.
    package mutating func send(_ control: Control, at time: ContinuousClock.Instant) -> Message {
        send(control.message(identity), at: time)
    }

    /// Takes a message of the scheduler; nil when it is a repeat, comes too early, or is not for this node.
    ///
    /// - Throws: when the scheduler says what cannot be read, and would say it again and again: the job cannot go on.
    package mutating func receive(
        _ message: Message, limits: Limits, at time: ContinuousClock.Instant
    ) throws(WireError) -> Control? {
        let header = message.header
        // Before the welcome others may answer: a shard says that it is no scheduler.
        let isScheduler = header.role == .scheduler && (!isWelcome || header.job == identity.job)
        guard !isWelcome || isScheduler else { return nil }
        let control: Control
        do {
            control = try Control(decoding: message, limits: limits)
        } catch {
            guard isScheduler, header.kind.isNumbered else { return nil }
            throw error
        }
        heard = time
        wasHeard = true
        guard session.take(ControlNumbers(header), at: time) else { return nil }
        if case .welcome(let welcome) = control {
            guard !isWelcome, let rank = UInt16(exactly: welcome.rank), let epoch = UInt32(exactly: welcome.epoch)
            else {
                return nil
            }
            isWelcome = true
            identity.job = welcome.job
            identity.rank = rank
            identity.epoch = epoch
            if welcome.silence > 0, welcome.silence.isFinite { silence = .seconds(min(welcome.silence, 1e6)) }
        }
        return control
    }

    /// What is to be sent because time has passed: a hello or a sign of life, and what was not acknowledged.
    package mutating func tick(at time: ContinuousClock.Instant) -> [Message] {
        // A process that was stopped itself could not hear anything meanwhile.
        if let ticked, ticked + Self.longestTurn < time { heard += ticked.duration(to: time) }
        ticked = time
        var due = session.overdue(at: time).map { $0.item.with($0.numbers) }
        if sent.map({ $0.duration(to: time) >= (isWelcome ? Self.beatEvery : Self.helloEvery) }) ?? true {
            sent = time
            due.append(beat)
        }
        return due
    }

    /// A sign of life; it acknowledges what has come.
    package var beat: Message {
        let control: Control =
            isWelcome ? .heartbeat(Heartbeat(step: activity.step, state: activity.state)) : .hello(hello)
        return control.message(identity).with(session.unnumbered)
    }
}
