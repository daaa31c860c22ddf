import Tensors

/// The attention unit of DIN: a network on [q; e; q−e; q∘e] with one linear output.
package struct AttentionOptions: Codable, Sendable, Equatable {
    /// Widths of its hidden layers; default 80, 40.
    package var hidden = [80, 40]
    /// Activation of its hidden layers; default sigmoid.
    package var activation = Activation.Kind.sigmoid
    /// What the scores go through; default none, as in the paper.
    package var normalization = AttentionNormalization.none
    /// Share of the hidden units that a training step drops; default 0.
    package var dropout: Float = 0

    package enum CodingKeys: String, CodingKey, CaseIterable { case hidden, activation, normalization, dropout }

    /// The defaults.
    package init() {}

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try checkHidden(hidden, "attention.hidden", layers: 1...8)
        try check(dropout >= 0 && dropout < 1, "attention.dropout", dropout, "at least 0 and below 1")
    }

    /// Declares "attention.0.weight" and so on, "attention.output".
    func layer(width: Int, initial: DenseInitial, in layout: inout ParameterLayout) -> TargetAttention {
        TargetAttention(
            "attention", width: width, hidden: hidden, activation: activation, normalization: normalization,
            dropout: dropout, in: &layout, initial: initial)
    }
}
