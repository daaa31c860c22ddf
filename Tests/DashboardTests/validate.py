"""Validates a status against the schema: validate.py SCHEMA STATUS; prints what is wrong."""
import json
import sys

import jsonschema

schema, status = (json.load(open(path)) for path in sys.argv[1:3])
jsonschema.Draft202012Validator.check_schema(schema)
errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(status), key=lambda error: error.json_path)
for error in errors[:20]:
    print(f"{error.json_path}: {error.message[:300]}")
sys.exit(1 if errors else 0)
