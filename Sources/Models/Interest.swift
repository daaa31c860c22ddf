import Tensors

/// What happens to the vector of interests before it meets the target: u = norm(v)·W + b, both optional.
///
/// The public code of DIN normalizes it by constants and maps it linearly, d to d, without an activation
/// (the original code); the papers do neither, and neither is the default.
struct Interest: Layer {
    /// The two switches.
    struct Options: Codable, Sendable, Equatable {
        /// Normalization of the vector; default none.
        var norm = NormOptions.none
        /// Whether a linear map of d to d follows; default false.
        var dense = false
    }

    private let norm: BatchNorm?
    private let dense: Dense?

    /// Declares "interest.norm" and "interest.dense" as far as they are switched on.
    init(width: Int, _ options: Options, initial: DenseInitial, in layout: inout ParameterLayout) {
        norm = options.norm.layer("interest.norm", width: width, in: &layout)
        dense =
            options.dense
            ? Dense("interest.dense", input: width, output: width, in: &layout, initial: initial) : nil
    }

    /// dv of v; `above` takes u, both [samples × d].
    func run(_ v: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        norm.run(v, pass) { dense.run($0, pass, above) }
    }
}

/// Which statistics a normalization of columns takes.
enum NormOptions: String, Choice {
    /// No normalization.
    case none
    /// Batch norm: of the micro-batch in training, running ones in evaluation.
    case batch
    /// Mean 0 and variance 1 for ever, as in the public code of DIN and DIEN: x·γ/√1.001 + β (the original code).
    case constant

    /// The layer, or nil for none.
    func layer(_ name: String, width: Int, in layout: inout ParameterLayout) -> BatchNorm? {
        self == .none ? nil : BatchNorm(name, width: width, kind: self, in: &layout)
    }
}
