#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# The C sources are as clang-format leaves them.
. "$(dirname "$0")/lint.sh"
need clang-format

# Releases of clang-format differ in detail: the tree is kept by this one.
release=$(clang-format --version | sed -E 's/.* version ([0-9]+)\..*/\1/')
kept_by=$(sed -n 's/^# clang-format \([0-9]*\)$/\1/p' .clang-format)
[ "$release" = "$kept_by" ] || skip "the tree is kept by clang-format $kept_by, this is $release"

mapfile -t files < <(tracked '*.c' '*.h')
if clang-format --dry-run -Werror "${files[@]}"; then
	finish ${#files[@]} 0 files
else
	echo "clang-format -i FILE... puts it right"
	finish ${#files[@]} some files
fi
