#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""The JSON reports of all sample recordings, read by somebody else's parser and schema validator.

usage: report_json.py REPORT-WRITE SCHEMA
"""
import json
import pathlib
import subprocess
import sys
import tempfile

SKIP = 77


def no_duplicates(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), f"a name stands twice: {[name for name, _ in pairs]}"
    return members


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)


def integers(value):
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from integers(item)


def strict(schema):
    """The schema with every member forbidden that it does not describe."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(item) for name, item in schema.items()}
    if "required" in schema and "properties" in schema and "errno" not in schema["required"]:
        made["unevaluatedProperties"] = False
    return made


def main():
    report_write, schema_path = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema_path).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([report_write, folder], check=True)
        paths = sorted(pathlib.Path(folder).glob("*.json"))
        assert len(paths) >= 10, paths
        reports = {path.stem: json.loads(path.read_bytes().decode("utf-8"),
                                         object_pairs_hook=no_duplicates) for path in paths}
    for name, report in reports.items():
        for text in strings(report):
            assert all(ord(c) >= 0x20 and not 0x7f <= ord(c) < 0xa0 for c in text), (name, text)
        for number in integers(report):
            assert abs(number) < 2 ** 53, (name, number)
        assert (report["reason"] is None) == (report["outcome"] == "ATTACHED"), name
        assert (report["result_reason"] is None) == (report["result"] == "passed"), name
    assert reports["passed"]["result"] == "passed"
    assert reports["hostile"]["evidence"]["attach"]["enable_seq"] == str(2 ** 64 - 1)
    print(f"{len(reports)} reports are sound JSON")
    try:
        import jsonschema
    except ImportError:
        print("skipped: no python3-jsonschema, so the reports were not held against the schema")
        return SKIP
    jsonschema.Draft202012Validator.check_schema(schema)
    for checked in (schema, strict(schema)):
        validator = jsonschema.Draft202012Validator(checked)
        for name, report in reports.items():
            errors = [f"{name}: {error.json_path}: {error.message}"
                      for error in validator.iter_errors(report)]
            assert not errors, "\n".join(errors)
    # A validator that accepts everything would prove nothing.
    broken = dict(reports["passed"], outcome="DIED")
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(broken))
    broken = dict(reports["passed"], surprise=1)
    assert list(jsonschema.Draft202012Validator(strict(schema)).iter_errors(broken))
    print("and follow the schema")
    return 0


sys.exit(main())
