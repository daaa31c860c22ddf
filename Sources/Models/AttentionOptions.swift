import Tensors

/// The attention unit of DIN: a network on [q; e; q−e; q∘e] with one linear output.
struct AttentionOptions: Codable, Sendable, Equatable {
    /// Widths of its hidden layers; default 80, 40.
    var hidden = [80, 40]
    /// Activation of its hidden layers; default sigmoid.
    var activation = Activation.Kind.sigmoid
    /// What the scores go through; default none, as in the paper.
    var normalization = AttentionNormalization.none
    /// Share of the hidden units that a training step drops; default 0.
    var dropout: Float = 0

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try checkHidden(hidden, "attention.hidden", layers: 1...8)
        try check(dropout >= 0 && dropout < 1, "attention.dropout", dropout, "at least 0 and below 1")
    }
}
