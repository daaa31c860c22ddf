/// How often a behavior is drawn as the one that did not happen next.
public enum NegativeLaw: String, Choice {
    /// Every distinct behavior of the training split alike.
    case uniform
    /// As often as it occurs: a position of the training split's log (the public code).
    case frequency
    /// By its frequency to the power of 3/4.
    case frequencyPower = "frequency_power"
}
