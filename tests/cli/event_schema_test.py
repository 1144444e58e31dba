#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Validates events against their JSON Schema: event_schema_test.py SCHEMA FILE...

The schema must know each field that stands in an event, too.
"""
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def main() -> int:
    schema_path, *files = map(pathlib.Path, sys.argv[1:])
    schema = json.loads(schema_path.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = []
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            event = json.loads(line)
            for error in validator.iter_errors(event):
                faults.append(f"{path.name}:{number}: {error.message} at {list(error.absolute_path)}")
            own = schema["definitions"].get(event["type"], {"properties": {}})["properties"]
            for unknown in event.keys() - schema["properties"].keys() - own.keys():
                faults.append(f"{path.name}:{number}: {event['type']} has no {unknown}")
    print("\n".join(faults))
    return 1 if faults else 0


sys.exit(main())
