#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Validates job files against the JSON Schema: schema_test.py SCHEMA BROKEN GOOD...

The files of the folders GOOD must be valid, and so must those of BROKEN whose mistake no schema can
see; the others of BROKEN must not be.
"""
import json
import pathlib
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Their shape is right: what is wrong is what names mean, a placeholder, the shell, or bytes.
SEMANTIC = {
    "alias_bomb", "alias_cycle", "ambiguous_need", "bad_metadata", "duplicate_keys", "finally_needs", "group_need_cycle",
    "infinite_without_timeout", "inputs_from_commands", "inputs_not_used", "need_cycle",
    "need_of_itself", "need_of_own_group", "placeholder_cannot_be_filled", "placeholder_places",
    "shell_text_in_list", "too_deep", "unknown_need",
}
# PyYAML makes no tree of them, so that there is nothing to validate.
NO_TREE = {
    "complex_key", "control_character", "merge_of_text", "not_utf8", "nul_byte",
    "syntax_after_mistakes", "tab_and_carriage_return", "tab_indent", "text_behind_bar",
    "text_behind_braces", "text_behind_quotes", "text_in_braces", "text_in_brackets", "two_documents", "unclosed_list", "unclosed_list_above", "unclosed_quote",
    "unknown_alias", "unknown_tag",
}


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, where `on` is a text and 1_000 too."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first) + ([""] if tag == "null" else []))
CoreLoader.add_constructor(
    "tag:yaml.org,2002:int",
    lambda loader, node: int(node.value, 0 if node.value[:2] in ("0o", "0x") else 10))


def main() -> int:
    schema_path, broken, *good = map(pathlib.Path, sys.argv[1:])
    schema = json.loads(schema_path.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = []

    for path in sorted(path for folder in good for path in folder.glob("*.yaml")):
        for error in validator.iter_errors(yaml.load(path.read_text(), CoreLoader)):
            faults.append(f"{path.name} is refused: {error.message} at {list(error.absolute_path)}")

    seen = set()
    for path in sorted(broken.glob("*.yaml")):
        seen.add(path.stem)
        try:
            is_valid = validator.is_valid(yaml.load(path.read_bytes(), CoreLoader))
        except (yaml.YAMLError, ValueError):
            if path.stem not in NO_TREE:
                faults.append(f"{path.name} cannot be read")
            continue
        if path.stem in NO_TREE:
            faults.append(f"{path.name} can be read")
        if is_valid and path.stem not in SEMANTIC:
            faults.append(f"{path.name} is accepted")
        if not is_valid and path.stem in SEMANTIC:
            faults.append(f"{path.name} is refused")
    faults += [f"there is no {name}.yaml" for name in sorted((SEMANTIC | NO_TREE) - seen)]

    print("\n".join(faults) or f"{len(seen)} broken files are as expected")
    return 1 if faults else 0


sys.exit(main())
