/// What is shown of a job, and where.
package struct MonitorOptions: Codable, Sendable, Equatable {
    /// Whether nodes count and tell; off only to measure what it costs.
    package var statistics = true
    /// Where the scheduler serves its page: `auto` (127.0.0.1, port 7165 or the next free one), `off`, or `host:port`.
    package var page = "auto"
    /// A file with the token that a page on another address than 127.0.0.1 asks for; or the variable MYRIAD_TOKEN.
    package var tokenFile = ""
    /// Whether TensorBoard's event files are written too, into the run's directory.
    package var tensorboard = false
    /// Seconds for which the scheduler still answers whoever looks at a job that has failed.
    package var linger = 0.0

    package enum CodingKeys: String, CodingKey {
        case statistics, page, tensorboard, linger
        case tokenFile = "token_file"
    }

    /// The defaults.
    package init() {}
}
