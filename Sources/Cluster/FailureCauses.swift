import Checkpoints
import Datasets
import Job
import Models
import Parameters
package import Telemetry
import Tensors
import Transport

// The causes that errors of the modules below stand for; a full disk is known by the system's words only.

extension ConfigError: FailureCausing {
    package var cause: FailureReport.Cause { .config }
}

extension ModelError: FailureCausing {
    package var cause: FailureReport.Cause { .config }
}

extension ParametersError: FailureCausing {
    package var cause: FailureReport.Cause { .config }
}

extension DatasetError: FailureCausing {
    package var cause: FailureReport.Cause {
        // A process with other data than all others was configured or started wrongly.
        if case .foreign = self { return .config }
        return FailureReport.Cause.data.unlessFull("\(self)")
    }
}

extension SafetensorsError: FailureCausing {
    package var cause: FailureReport.Cause { FailureReport.Cause.data.unlessFull("\(self)") }
}

extension CheckpointError: FailureCausing {
    package var cause: FailureReport.Cause {
        switch self {
        // The files are as they were written: what was named beside them is another job.
        case .mismatch: .config
        default: FailureReport.Cause.data.unlessFull("\(self)")
        }
    }
}

extension RunDirectory.Failure: FailureCausing {
    package var cause: FailureReport.Cause { FailureReport.Cause.data.unlessFull("\(self)") }
}

extension TransportError: FailureCausing {
    package var cause: FailureReport.Cause {
        switch self {
        case .bind: .port
        case .connect: .unreachable
        case .endpoint: .config
        case .plaintext, .notGuarded: .keys
        case .failed: .other
        }
    }
}

extension KeyDirectory.Problem: FailureCausing {
    package var cause: FailureReport.Cause { .keys }
}

extension FailureReport.Cause {
    /// This cause, unless the text says that a disk is full, or that no file more may be opened.
    fileprivate func unlessFull(_ text: String) -> FailureReport.Cause {
        if FailureDiagnosis.isWantOfFiles(text) { return .other }
        return FailureDiagnosis.cause(of: text) == .diskFull ? .diskFull : self
    }
}
