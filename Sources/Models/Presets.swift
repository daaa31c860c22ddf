import Layers
import Tensors

/// The models of published experiments, as options; what is trained how is not part of them.
enum Presets {
    /// By name.
    static let all: [String: ModelOptions] = [
        "base-paper": basePaper, "base-official-amazon": baseOfficialAmazon, "base-dien-code": baseDIENCode,
        "din-paper": dinPaper, "din-official-amazon": dinOfficialAmazon, "din-dien-code": dinDIENCode,
        "din-bars-amazon": dinBARSAmazon, "dien-paper": .dien(DIEN.Options()), "dien-official": dienOfficial,
        "dien-bars-amazon": dienBARSAmazon, "dsin-paper": .dsin(DSIN.Options()), "dsin-official": dsinOfficial,
    ]

    /// DIN paper, 6.1: width 12, 200-80, PReLU.
    private static var basePaper: ModelOptions {
        var options = Base.Options()
        options.embedding.width = 12
        options.top.activation = .prelu
        return .base(options)
    }

    /// The public code of DIN, `base_model/model.py`: no user, no product, mean pooling, then a linear map.
    private static var baseOfficialAmazon: ModelOptions {
        var options = Base.Options()
        options.input = [.history, .target]
        options.pooling = .mean
        options.interest.norm = .constant
        options.interest.dense = true
        options.top = officialTop
        options.itemBias = true
        options.embedding = officialEmbedding
        return .base(options)
    }

    /// The public code of DIEN, `Model_DNN`, with padding left out of the sum.
    private static var baseDIENCode: ModelOptions {
        var options = Base.Options()
        options.input = [.user, .target, .history]
        options.pooling = .sum
        options.top.inputNorm = .constant
        options.top.activation = .prelu
        options.top.head = .softmax
        options.embedding.width = 18
        return .base(options)
    }

    /// DIN paper: attention not normalized, 36 units (its figure 2), Dice, 200-80.
    private static var dinPaper: ModelOptions {
        var options = DIN.Options()
        options.attention.hidden = [36]
        options.attention.activation = .dice
        options.attention.normalization = .none
        options.top.activation = .dice
        options.embedding.width = 12
        return .din(options)
    }

    /// The public code of DIN, `din/model.py`: softmax of scores / √d, a linear map, and the product q∘u.
    private static var dinOfficialAmazon: ModelOptions {
        var options = DIN.Options()
        options.input = [.attention, .target, .attentionProduct]
        options.attention.normalization = .softmaxScaled
        options.interest.norm = .constant
        options.interest.dense = true
        options.top = officialTop
        options.itemBias = true
        options.embedding = officialEmbedding
        return .din(options)
    }

    /// The public code of DIEN, `Model_DIN`: x = [user; q; Σe; q∘Σe; u], softmax, Dice 200-80.
    private static var dinDIENCode: ModelOptions {
        var options = DIN.Options()
        options.input = [.user, .target, .history, .historyProduct, .attention, .context, .numeric]
        options.pooling = .sum
        options.attention.normalization = .softmax
        options.top.inputNorm = .constant
        options.top.activation = .dice
        options.top.head = .softmax
        options.embedding.width = 18
        return .din(options)
    }

    /// The best DIN of BARS on AmazonElectronics_x1: 5,403,522 parameters with its 63,003 items and 803 categories.
    private static var dinBARSAmazon: ModelOptions {
        var options = DIN.Options()
        options.input = [.target, .attention]
        options.attention.hidden = [512, 256]
        options.attention.activation = .dice
        options.attention.normalization = .softmax
        options.attention.dropout = 0.1
        options.top.hidden = [1024, 512, 256]
        options.top.hiddenNorm = .batch
        options.top.activation = .dice
        options.top.dropout = 0.1
        options.embedding.width = 64
        options.embedding.scale = 1e-4
        options.denseInitial = .glorotNormal
        return .din(options)
    }

    /// The public code of DIEN, `Model_DIN_V2_Gru_Vec_attGru_Neg`, with padding left out of the sum.
    ///
    /// TensorFlow's cell (the gate keeps, the reset comes first, gate biases start at 1), AUGRU as a union, an attention
    /// network behind PReLU(q·W + b), two logits. Its cross-entropy is half of ours, so α is 2.
    private static var dienOfficial: ModelOptions {
        var options = DIEN.Options()
        options.input = [.user, .target, .history, .historyProduct, .attention, .context, .numeric]
        options.pooling = .sum
        options.gru.reset = .before
        options.gru.update = .keep
        options.gru.gateBias = 1
        options.attention.kind = .unit
        options.attention.query = .prelu
        options.augru = .union
        options.auxiliary.weight = 2
        options.auxiliary.head = .softmax
        options.auxiliary.inputNorm = .constant
        options.auxiliary.normalization = .slots
        options.auxiliary.negatives = .frequency
        options.top.inputNorm = .constant
        options.top.head = .softmax
        options.embedding.width = 18
        return .dien(options)
    }

    /// The best DIEN of BARS on AmazonElectronics_x1: 5,369,602 parameters with its 63,003 items and 803 categories.
    private static var dienBARSAmazon: ModelOptions {
        var options = DIEN.Options()
        options.input = [.target, .attention]
        options.gru.update = .keep
        options.gru.hiddenBias = true
        options.attention.kind = .unit
        options.attention.query = .none
        options.attention.hidden = [256, 128]
        options.attention.activation = .dice
        options.auxiliary.weight = 0
        options.top.hidden = [1024, 512, 256]
        options.top.hiddenNorm = .batch
        options.top.activation = .relu
        options.top.dropout = 0.1
        options.embedding.width = 64
        options.embedding.scale = 1e-4
        options.denseInitial = .glorotNormal
        return .dien(options)
    }

    /// DSIN as the public code calls DeepCTR's, with the mean over valid behaviors.
    ///
    /// Two fields of width 4, eight heads of one column, no WO, no layer norm, blinding, no biases in the feed-forward
    /// network, two layers of Bi-LSTM averaged, DIN's unit 64-16, ReLU 200-80.
    private static var dsinOfficial: ModelOptions {
        var options = DSIN.Options()
        options.position = .sinusoidTrained
        options.transformer.heads = 8
        options.transformer.output = false
        options.transformer.norm = .none
        options.transformer.epsilon = 1e-9
        options.transformer.feedForwardBias = false
        options.transformer.blinding = true
        options.interacting.layers = 2
        options.interacting.merge = .mean
        options.interacting.dropout = 0.2
        options.interacting.bias = 1
        options.attention.kind = .unit
        options.attention.query = .none
        options.attention.hidden = [64, 16]
        options.top.activation = .relu
        options.embedding.width = 4
        options.embedding.scale = 1e-4
        return .dsin(options)
    }

    /// 80-40 with sigmoid over constant statistics.
    private static var officialTop: Tower.Options {
        var top = Tower.Options()
        top.inputNorm = .constant
        top.hidden = [80, 40]
        top.activation = .sigmoid
        return top
    }

    /// Width 64; the code draws by Glorot over the table's size, about ±0.01 for 63,001 items.
    private static var officialEmbedding: EmbeddingOptions {
        var embedding = EmbeddingOptions()
        embedding.width = 64
        embedding.initial = .uniform
        embedding.scale = 0.01
        return embedding
    }
}
