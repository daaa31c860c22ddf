"""Prints what TensorBoard reads from a directory of event files, as JSON."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
print(
    json.dumps(
        {
            "version": events.file_version,
            "scalars": {
                tag: [[event.wall_time, event.step, event.value] for event in events.Scalars(tag)]
                for tag in tags["scalars"]
            },
            "texts": {
                tag: [value.decode() for event in events.Tensors(tag) for value in event.tensor_proto.string_val]
                for tag in tags["tensors"]
                if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
            },
        }
    )
)
