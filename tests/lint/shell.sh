#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# The scripts are without a warning of shellcheck.
. "$(dirname "$0")/lint.sh"
need shellcheck

mapfile -t files < <(scripts)
failed=0
for file in "${files[@]}"; do
	shellcheck -x -P SCRIPTDIR "$file" || failed=$((failed + 1))
done
finish ${#files[@]} $failed scripts
