#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# The Python files are without a fault of pyflakes; the package, for users, is strictly typed and
# asks for no later Python than it says.
. "$(dirname "$0")/lint.sh"
need pyflakes3
need mypy

export PYTHONDONTWRITEBYTECODE=1
package=tools/python/attachverdict
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
mapfile -t files < <(tracked '*.py')
failed=0
pyflakes3 "${files[@]}" || failed=$((failed + 1))

oldest=$(sed -nE 's/^requires-python = ">= ([0-9.]+)"$/\1/p' tools/python/pyproject.toml)
[ -n "$oldest" ] || { echo "tools/python/pyproject.toml: no requires-python"; exit 1; }
# An ignored fault may be none to a later mypy, or pytest.
mypy --strict --no-warn-unused-ignores --python-version "$oldest" --cache-dir "$cache" \
	"$package" || failed=$((failed + 1))
# What users run is in the oldest Python's syntax, too, examples included.
python3 - "$oldest" "$package" examples <<'PY' || failed=$((failed + 1))
import ast, pathlib, sys
version = tuple(int(part) for part in sys.argv[1].split("."))
for folder in sys.argv[2:]:
    for path in pathlib.Path(folder).rglob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=version)
PY
finish ${#files[@]} $failed "Python files"
