#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# mandoc has no warnings about the man pages.
. "$(dirname "$0")/lint.sh"
need mandoc

mapfile -t files < <(tracked '*.[1-9]')
[ ${#files[@]} -gt 0 ] || skip "there are no man pages yet"
failed=0
for file in "${files[@]}"; do
	mandoc -T lint -W warning "$file" || failed=$((failed + 1))
done
finish ${#files[@]} $failed pages
