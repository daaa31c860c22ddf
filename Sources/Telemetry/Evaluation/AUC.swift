/// The area under the ROC curve: the probability that a positive outscores a negative, ties counted half.
///
/// Exact, O(n log n). `nil` when one of the classes is missing.
package func areaUnderROC(scores: [Float], labels: [Float]) -> Double? {
    precondition(scores.count == labels.count, "one label a score")
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    return areaUnderROC(of: order[...], scores: scores, labels: labels)
}

/// The same over a subset of samples that is sorted by score.
func areaUnderROC(of order: ArraySlice<Int>, scores: [Float], labels: [Float]) -> Double? {
    var negatives = 0
    var positives = 0
    // Twice the number of (positive, negative) pairs in the right order; ties add one.
    var doubled = 0
    var index = order.startIndex
    while index < order.endIndex {
        let score = scores[order[index]]
        var tiedPositives = 0
        var tiedNegatives = 0
        while index < order.endIndex, scores[order[index]] == score {
            if labels[order[index]] > 0.5 { tiedPositives += 1 } else { tiedNegatives += 1 }
            index += 1
        }
        doubled += tiedPositives * (2 * negatives + tiedNegatives)
        positives += tiedPositives
        negatives += tiedNegatives
    }
    guard positives > 0, negatives > 0 else { return nil }
    return Double(doubled) / 2 / Double(positives) / Double(negatives)
}

/// GAUC: the mean of the users' AUC weighted by their impressions; users of one class count nowhere (DIN paper, 6.2).
package func groupedAUC(scores: [Float], labels: [Float], keys: [UInt64]) -> Double? {
    precondition(scores.count == labels.count && scores.count == keys.count, "one label and key a score")
    let order = scores.indices.sorted { (keys[$0], scores[$0]) < (keys[$1], scores[$1]) }
    var sum = 0.0
    var weight = 0
    var first = 0
    while first < order.count {
        var end = first
        while end < order.count, keys[order[end]] == keys[order[first]] { end += 1 }
        if let auc = areaUnderROC(of: order[first..<end], scores: scores, labels: labels) {
            sum += auc * Double(end - first)
            weight += end - first
        }
        first = end
    }
    return weight > 0 ? sum / Double(weight) : nil
}

/// RelaImpr: by how much an AUC beats another, in percent of what the other is above chance (DIN paper, 6.2).
package func relativeImprovement(_ auc: Double, over base: Double) -> Double {
    ((auc - 0.5) / (base - 0.5) - 1) * 100
}
