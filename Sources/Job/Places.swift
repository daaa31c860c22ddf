/// Where the keys of a configuration were given: a line of its file or the command line.
///
/// It stays beside the values, so that whoever finds out later that one does not fit can say where it stands. It is no
/// part of them: all places are equal.
package struct Places: Sendable, Equatable {
    private let name: String
    private let places: [String: String]

    package static func == (_: Places, _: Places) -> Bool { true }

    /// What stands for the file, and the place of every key that was given.
    init(name: String = "config", _ places: [String: String] = [:]) {
        self.name = name
        self.places = places
    }

    /// The place of a key or of the nearest section that it is in; the file where it is a default.
    package func of(_ key: String) -> String {
        var path = key[...]
        while places[String(path)] == nil, let dot = path.lastIndex(of: ".") { path = path[..<dot] }
        return places[String(path)] ?? name
    }
}
