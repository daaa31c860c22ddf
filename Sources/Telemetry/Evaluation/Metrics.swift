#if canImport(Glibc)
    import Glibc
#endif

/// By what the best state is chosen; larger is better, log loss counts negated.
package enum Metric: String, Sendable, CaseIterable {
    /// Area under the ROC curve, and the same by user.
    case auc, gauc
    /// Mean cross-entropy; smaller is better.
    case logLoss = "log_loss"
}

/// What a scored split is judged by.
package struct Metrics: Codable, Sendable, Equatable {
    /// Area under the ROC curve; `nil` with one class only.
    package var auc: Double?
    /// Impression-weighted mean of the users' AUC.
    package var gauc: Double?
    /// Mean negative log-likelihood.
    package var logLoss: Double
    /// Mean prediction over mean label; 1 is calibrated.
    package var calibration: Double
    /// How many samples.
    package var samples: Int
    /// How many of them are positive.
    package var positives: Int

    package enum CodingKeys: String, CodingKey {
        case auc, gauc, calibration, samples, positives
        case logLoss = "log_loss"
    }

    /// The metrics of logits in the split's natural order; sums run in that order, so that they have one value.
    package init(logits: [Float], labels: [Float], keys: [UInt64]) {
        samples = logits.count
        auc = areaUnderROC(scores: logits, labels: labels)
        gauc = groupedAUC(scores: logits, labels: labels, keys: keys)
        var loss = 0.0
        var predicted = 0.0
        var sum = 0.0
        var positives = 0
        for index in logits.indices {
            let z = Double(logits[index])
            let y = Double(labels[index])
            loss += max(z, 0) - z * y + log1p(exp(-abs(z)))
            predicted += 1 / (1 + exp(-z))
            sum += y
            if y > 0.5 { positives += 1 }
        }
        self.positives = positives
        logLoss = samples > 0 ? loss / Double(samples) : 0
        calibration = sum > 0 ? predicted / sum : 0
    }
}
