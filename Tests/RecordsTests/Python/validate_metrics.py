"""Validates the lines of metrics.jsonl files against a JSON Schema; prints how many lines each event has.

With three arguments the third names a field that is added to every line first: what a change of the program that
forgets the schema would do.
"""

import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1], encoding="utf-8"))
Draft202012Validator.check_schema(schema)
lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
counts, problems = {}, []
for number, line in enumerate(lines, 1):
    if len(sys.argv) > 3:
        line[sys.argv[3]] = 1
    event = line.get("event")
    counts[event] = counts.get(event, 0) + 1
    # Against the event's own schema: "not valid under any of" would tell nobody what is wrong.
    own = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{event}"}
    found = Draft202012Validator(own if event in schema["$defs"] else schema).iter_errors(line)
    problems += [f"line {number} ({event}): {error.message}" for error in found]
    if not problems and not Draft202012Validator(schema).is_valid(line):
        problems.append(f"line {number} ({event}): of no kind that the schema lists")
print(json.dumps({"counts": counts, "problems": problems, "lines": len(lines)}))
