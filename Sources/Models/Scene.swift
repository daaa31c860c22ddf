import Datasets

/// The vectors of a micro-batch that interests are made of, and their gradients.
struct Scene {
    /// The samples.
    let batch: MicroBatch
    /// q: whole targets, [samples × target].
    let target: Variable
    /// e: the distinct behavior tuples, [tuples × behavior].
    let behaviors: Variable
    /// Columns that a target and a behavior are compared by: the first ones of both.
    let comparedWidth: Int

    /// The compared part of the targets, [samples × d].
    var comparedTarget: Variable { target.columns(0..<comparedWidth) }
    /// The compared part of the behaviors, [tuples × d].
    var comparedBehaviors: Variable { behaviors.columns(0..<comparedWidth) }
}

/// The parts of the top network's input that are made of histories; a row for every sample.
struct Parts {
    /// The pooled history, or that of the baseline; no columns where x has none.
    let history: Variable
    /// What the target makes of the history; no columns where x has none.
    let attention: Variable
}
