import Synchronization
package import Telemetry
package import Wire

/// A node's connection to the scheduler, on a thread of its own that does nothing else: the node lives as long as its process
/// does, however busy its other threads are.
///
/// Made, read and closed by the node's control thread; `send` and `note` may be called on any thread.
package final class SchedulerLink: Sendable {
    /// What the thread tells the node.
    typealias Event = Result<Control, Lost>

    /// What the node tells the thread.
    enum Order: Sendable {
        case send(Message)
        case close
    }

    /// What both threads share.
    final class Shared: Sendable {
        let events = Inbox<Event>()
        let orders = Inbox<Order>()
        let activity = Mutex<(step: Int, state: String)>((0, "joining"))
        let waits: Mutex<WaitClock>
        let identity: Mutex<Header>

        init(_ waits: WaitClock, _ identity: Header) {
            self.waits = Mutex(waits)
            self.identity = Mutex(identity)
        }
    }

    private let shared: Shared
    private let thread: RoleThread
    /// What came together with the welcome, and is for whoever comes after `join`.
    private let kept = Mutex<[Event]>([])

    /// Connects.
    package init(_ options: NodeOptions, in context: Context) throws(TransportError) {
        let (endpoint, key, hello) = (options.scheduler, options.schedulerKey, options.hello)
        let socket = try Socket.connect(to: endpoint, in: context, key: key)
        let session = NodeSession(
            hello, incarnation: .random(in: 1...UInt32.max), wait: options.wait, silence: options.silence, at: .now)
        let who = "\(hello.role)\(hello.wantedRank.map { " \($0)" } ?? "")"
        shared = Shared(WaitClock(who: who), session.identity)
        // The socket moves to the thread, and nobody else touches it from here on.
        nonisolated(unsafe) var loop = LinkLoop(
            socket: socket, session: session, shared: shared, endpoint: endpoint, key: key,
            departure: options.departure)
        thread = RoleThread("link") { loop.run() }
    }

    deinit { shared.orders.post(.close) }

    /// Wakes a poller when something has come.
    package var arrivals: any Wakes { shared.events }
    /// The header under which this node sends, complete once it is welcomed.
    package var identity: Header { shared.identity.withLock { $0 } }

    /// Sends a message to the scheduler.
    package func send(_ control: Control) { send(control.message(identity)) }

    /// Sends scores, whose frames are no JSON.
    package func send(_ message: Message) { shared.orders.post(.send(message)) }

    /// What the node does from now on: every sign of life says it.
    package func note(step: Int, _ state: String) { shared.activity.withLock { $0 = (step, state) } }

    /// Takes over a wait that the node counts, known again by its key; nil when there is none.
    package func note(wait: WaitReport?, _ key: String, at time: ContinuousClock.Instant = .now) {
        shared.waits.withLock { $0.note(key, wait, at: time) }
    }

    /// What this node waits for right now.
    package func waits(at time: ContinuousClock.Instant = .now) -> [WaitReport] {
        shared.waits.withLock { $0.reports(at: time) }
    }

    /// Everything that has come from the scheduler; throws when the scheduler is lost, and nothing else has come.
    ///
    /// Who is told to stop while it cannot look finds the scheduler gone afterwards, and was told all the same.
    package func receive() throws(Lost) -> [Control] {
        let events = kept.withLock { kept in
            defer { kept = [] }
            return kept + shared.events.take()
        }
        var controls: [Control] = []
        for event in events {
            switch event {
            case .success(let control): controls.append(control)
            case .failure(let lost):
                guard !controls.isEmpty else { throw lost }
                kept.withLock { $0 = [event] }
            }
        }
        return controls
    }

    /// Waits for the welcome.
    package func join() throws(Lost) -> Welcome {
        var poller = Poller([], arrivals)
        while true {
            poller.wait(.seconds(1))
            let controls = try receive()
            for (number, control) in controls.enumerated() {
                switch control {
                case .welcome(let welcome):
                    let rest = controls[(number + 1)...].map(Event.success)
                    kept.withLock { $0 = rest + $0 }
                    return welcome
                case .stop(let stop): throw stop.isRefusal == true ? .refused(stop.reason) : .stopped(stop.reason)
                default: break
                }
            }
        }
    }

    /// Joins and does a role's work; what ends it is told to the scheduler, unless that is lost itself.
    package func work<Result>(_ role: (Welcome) throws -> Result) throws -> Result {
        let welcome = try join()
        note(step: welcome.resumeStep, "building")
        do {
            return try role(welcome)
        } catch {
            if !(error is Lost) { send(.failed(Failure(role: identity.role, rank: welcome.rank, error))) }
            throw error
        }
    }

    /// Says the last word and waits until the scheduler has heard it, at most five seconds: a process that ends takes with it
    /// what its sockets have not sent yet.
    ///
    /// - Returns: whether the job is done, as far as the scheduler says so: one that does not answer may come back.
    package func leave(_ report: NodeReport) -> Bool {
        var poller = Poller([], arrivals)
        send(.stopped(report))
        let deadline = ContinuousClock.now + .seconds(5)
        while .now < deadline {
            poller.wait(.milliseconds(100))
            guard let controls = try? receive() else { return false }
            for case .stop(let stop) in controls where stop.isFarewell { return stop.isUnfinished != true }
        }
        return false
    }

    /// Ends the thread once the scheduler has acknowledged everything, after a second at the latest.
    package func close() {
        shared.orders.post(.close)
        try? thread.join()
    }
}
