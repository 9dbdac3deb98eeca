#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#
# baseline.sh LIBRARY INCLUDE BASELINE [--update]: the ABI is the one that was committed. A change
# that is meant comes with a new baseline in the same commit; once 0.1 is released, only additions
# can be meant.
set -euo pipefail
export LC_ALL=C

library=$1
include=$2
baseline=$3
if ! command -v abidw >/dev/null; then
	echo "skipped: abidw is not installed (tools/setup --checks installs it)"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What callers can see and nothing else: types of other headers are opaque. Neither paths, nor line
# numbers, nor ids in the order of discovery, all of which change with every edit.
abidw --headers-dir "$include" --drop-private-types --exported-interfaces-only --no-corpus-path \
	--no-comp-dir-path --no-show-locs --type-id-style hash --out-file "$work/now.abi" "$library"
if [ "${4-}" = --update ]; then
	mv "$work/now.abi" "$baseline"
	exit 0
fi
# Two files of the same kind: given the library itself, abidiff takes all types for private ones.
if abidiff --no-corpus-path --no-show-locs "$baseline" "$work/now.abi"; then
	echo "the ABI is that of ${baseline##*/}"
	exit 0
fi
echo "if that is meant: ninja -C build abi-update, and commit the new baseline"
exit 1
