/// One process (a thread in `train`).
package struct NodeStatus: Codable, Sendable, Equatable {
    /// Where it is in its life: the same words for whoever started it.
    package enum State: String, Codable, Sendable, CaseIterable {
        /// It has not joined yet.
        case waiting
        /// It has joined, the first process of its role and rank.
        case running
        /// It has joined, and another process had its role and rank before.
        case restarted
        /// It is dead, gone or silent.
        case lost
        /// It has ended in order.
        case done

        /// Whether it is there and at work.
        package var isUp: Bool { self == .running || self == .restarted }

        /// A state by its name.
        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let name = try container.decode(String.self)
            // What `done` was called in version 1 of the layout.
            guard let state = State(rawValue: name == "finished" ? "done" : name) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no state is called '\(name)'")
            }
            self = state
        }
    }

    /// scheduler, server or worker.
    package var role = ""
    package var rank = 0
    package var state = State.waiting
    package var host = ""
    /// The address from which the scheduler sees it; empty where there is none (`ipc`, `inproc`).
    package var address = ""
    package var pid = 0
    /// Where it listens, a shard each; empty for a worker.
    package var endpoints: [String] = []
    /// The starts of its role and rank, this one included; 0 before the first.
    package var incarnation: UInt32 = 0
    package var step = 0
    /// What it does or waits for, in its own words.
    package var activity = ""
    /// Seconds since it was last heard of.
    package var silentSeconds = 0.0
    /// Seconds by which its clock is ahead of the scheduler's, less the time that a report takes; nil before the first.
    package var clockSkewSeconds: Double?
    /// Processor cores used over the last seconds.
    package var cores = 0.0
    package var process = ProcessReport()
    package var warnings = 0
    /// Connections that it did not let in, by reason; nil where it takes none.
    package var turnedAway: [String: Int]?

    package init() {}

    /// A node as it was written, also by version 1 of the layout.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        role = try values.decode(String.self, forKey: .role)
        rank = try values.decode(Int.self, forKey: .rank)
        state = try values.decode(State.self, forKey: .state)
        host = try values.decode(String.self, forKey: .host)
        pid = try values.decode(Int.self, forKey: .pid)
        endpoints = try values.decode([String].self, forKey: .endpoints)
        step = try values.decode(Int.self, forKey: .step)
        activity = try values.decode(String.self, forKey: .activity)
        silentSeconds = try values.decode(Double.self, forKey: .silentSeconds)
        clockSkewSeconds = try values.decodeIfPresent(Double.self, forKey: .clockSkewSeconds)
        cores = try values.decode(Double.self, forKey: .cores)
        process = try values.decode(ProcessReport.self, forKey: .process)
        warnings = try values.decode(Int.self, forKey: .warnings)
        turnedAway = try values.decodeIfPresent([String: Int].self, forKey: .turnedAway)
        guard let address = try values.decodeIfPresent(String.self, forKey: .address) else {
            // Version 1 knew no address, and its incarnation counted nothing.
            incarnation = state == .waiting ? 0 : 1
            return
        }
        self.address = address
        incarnation = try values.decode(UInt32.self, forKey: .incarnation)
    }
}
