import ArgumentParser
import Datasets

/// The options of `prepare alimama`.
struct AlimamaArguments: ParsableArguments {
    @Option(help: "Alimama: impressions from this second on test (2017-05-13 00:00 UTC).")
    var testFrom = AlimamaOptions().testFrom

    @Option(help: "Alimama: impressions of so many hours before those validate.")
    var validationHours = AlimamaOptions().validationHours

    @Option(help: "Alimama: kinds of behavior that count, parted by commas: pv, cart, fav, buy.")
    var behaviors = AlimamaOptions.kinds.joined(separator: ",")

    @Option(help: "Alimama: behaviors before this second are left out; 0 keeps all.")
    var behaviorsFrom = AlimamaOptions().behaviorsFrom

    @Option(help: "Alimama: share of the users that are kept.")
    var usersShare = AlimamaOptions().usersShare

    @Option(help: "Alimama: newest behaviors of a history that are stored; 0 stores all.")
    var storedHistory = AlimamaOptions().storedHistory

    /// What was given.
    var options: AlimamaOptions {
        var options = AlimamaOptions()
        options.testFrom = testFrom
        options.validationHours = validationHours
        options.behaviors = behaviors.split(separator: ",").map { String($0.filter { $0 != " " }) }
        options.behaviorsFrom = behaviorsFrom
        options.usersShare = usersShare
        options.storedHistory = storedHistory
        return options
    }
}
