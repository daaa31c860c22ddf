import Datasets
import Tensors

/// The vectors of a micro-batch that interests are made of; a second scene of the same shape takes their gradients.
struct Scene {
    /// The samples.
    let batch: MicroBatch
    /// q: whole targets, [samples × target].
    let target: Matrix
    /// e: the distinct behavior tuples, [tuples × behavior].
    let behaviors: Matrix
    /// Columns that a target and a behavior are compared by: the first ones of both.
    let comparedWidth: Int

    /// The compared part of the targets, [samples × d].
    var comparedTarget: Matrix { target.columns(0..<comparedWidth) }
    /// The compared part of the behaviors, [tuples × d].
    var comparedBehaviors: Matrix { behaviors.columns(0..<comparedWidth) }

    /// The gradients of a scene before anything is added to them.
    func zeros(_ pass: Pass) -> Scene {
        Scene(
            batch: batch, target: pass.zeros(like: target), behaviors: pass.zeros(like: behaviors),
            comparedWidth: comparedWidth)
    }
}

/// The parts of the top network's input that are made of histories, or their gradients; a row for every sample.
struct Parts {
    /// The pooled history, or that of the baseline; no columns where x has none.
    let history: Matrix
    /// What the target makes of the history; no columns where x has none.
    let attention: Matrix

    /// The gradients of the parts before anything is added to them.
    func zeros(_ pass: Pass) -> Parts {
        Parts(history: pass.zeros(like: history), attention: pass.zeros(like: attention))
    }
}
