"""Prints the scalars of a TensorBoard folder as JSON: read_events.py FOLDER. {tag: [[step, value], ...]}"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
assert events.file_version == 2, events.file_version
tags = events.Tags()["scalars"]
print(json.dumps({tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags}))
