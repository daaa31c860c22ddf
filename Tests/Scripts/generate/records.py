"""The lines of `metrics.jsonl`: by event, what it says, and its fields with their kinds.

A kind is `text`, `count` (a whole number, not negative), `rate` (not negative), `share` (0 to 1), `figure` (null when it is not
a finite number) or `cause` (a word of `FailureReport.Cause`)."""

EVENTS = {
    "joined": (
        "A node has joined the job.",
        {
            "node": ("text", "role and rank, as in `worker 1`"),
            "host": ("text", "its host's name"),
        },
    ),
    "restarted": (
        "A node has joined in the place of a process that is gone, before training began.",
        {
            "node": ("text", "role and rank, as in `worker 1`"),
            "host": ("text", "its host's name"),
            "what": ("text", "which process takes the place of which, in words"),
        },
    ),
    "started": (
        "All nodes are there; training begins.",
        {
            "nodes": ("count", "servers and workers"),
        },
    ),
    "progress": (
        "One second of training, all workers together.",
        {
            "step": ("count", "the step that all workers have finished"),
            "samples": ("count", "samples trained on since this process started the job"),
            "samples_per_second": ("rate", "samples trained on a second, over the last second"),
            "loss": ("figure", "mean cross-entropy a sample over the last second, in nats"),
            "auxiliary_loss": (
                "figure",
                "mean weighted auxiliary loss a sample over the last second, in nats; 0 for models without one",
            ),
            "auc": ("figure", "AUC of the last second's predictions, each made before its update, 0 to 1"),
            "rows": ("count", "embedding rows stored on all shards"),
            "received_bytes_per_second": ("rate", "bytes a second that all shards received from workers"),
            "sent_bytes_per_second": ("rate", "bytes a second that all shards sent to workers"),
            "read": ("share", "share of the workers' time spent on filling micro-batches, mean over workers"),
            "wait": ("share", "share spent on waiting for shards"),
            "compute": ("share", "share spent on forward and backward"),
            "push": ("share", "share spent on packing and sending gradients"),
        },
    ),
    "evaluated": (
        "A split was scored.",
        {
            "split": ("text", "its name in the dataset"),
            "step": ("count", "the step whose state was scored"),
            "samples": ("count", "samples trained on up to this state, since the first step of the run"),
            "auc": ("figure", "area under the ROC curve, 0 to 1"),
            "gauc": ("figure", "mean of the users' AUC, weighted by their samples, 0 to 1"),
            "log_loss": ("figure", "mean cross-entropy a sample, in nats"),
            "calibration": ("figure", "mean prediction over mean label; 1 is calibrated"),
        },
    ),
    "checkpoint": (
        "A checkpoint is complete on disk.",
        {
            "step": ("count", "the step whose state it holds"),
            "path": ("text", "its directory"),
            "seconds": ("rate", "from the first part's start to the end, in seconds"),
            "bytes": ("count", "bytes of all parts"),
        },
    ),
    "warning": (
        "Something to look at that does not end the job.",
        {
            "what": ("text", "what, in words"),
        },
    ),
    "lost": (
        "A node is gone; the job fails because of the first one.",
        {
            "node": ("text", "role and rank, as in `worker 1`"),
            "what": ("text", "how it ended, in words"),
        },
    ),
    "failed": (
        "The job has failed, or an older version was interrupted; the last line of such a run.",
        {
            "cause": ("cause", "what kind of failure"),
            "first": ("text", "who failed first: `worker 1`, `scheduler`"),
            "what": ("text", "what happened, in one sentence"),
            "remedy": ("text", "what to do"),
            "step": ("count", "the step that the job had reached"),
        },
    ),
    "stopped": (
        "The job has ended in order before its last step, by a signal or a time limit; --continue goes on from its newest checkpoint, and adds its lines behind this one.",
        {
            "what": ("text", "after which step and why, in words"),
            "step": ("count", "the last step trained"),
            "samples_per_second": (
                "rate",
                "samples a second over all of training since this process started the job, evaluations included",
            ),
        },
    ),
    "finished": (
        "The job has finished; the last line of a finished run.",
        {
            "step": ("count", "the last step trained"),
            "samples_per_second": ("rate", "samples a second over all of training, evaluations included"),
            "validation_auc": ("figure", "AUC, 0 to 1, of the validation split in the best state"),
            "validation_gauc": ("figure", "mean AUC of users, 0 to 1, of the validation split in the best state"),
            "validation_log_loss": ("figure", "mean cross-entropy, in nats, of the validation split in the best state"),
            "test_auc": ("figure", "AUC, 0 to 1, of the test split in the best state"),
            "test_gauc": ("figure", "mean AUC of users, 0 to 1, of the test split in the best state"),
            "test_log_loss": ("figure", "mean cross-entropy, in nats, of the test split in the best state"),
        },
    ),
}
