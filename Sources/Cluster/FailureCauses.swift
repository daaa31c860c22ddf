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
        if case .foreign = self { .config } else { .data(unless: "\(self)") }
    }
}

extension SafetensorsError: FailureCausing {
    package var cause: FailureReport.Cause { .data(unless: "\(self)") }
}

extension CheckpointError: FailureCausing {
    package var cause: FailureReport.Cause {
        switch self {
        // The files are as they were written: what was named beside them is another job.
        case .mismatch: .config
        default: .data(unless: "\(self)")
        }
    }
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
