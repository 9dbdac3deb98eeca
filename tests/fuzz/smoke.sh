#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#
# smoke.sh FUZZER REPLAY RUNS VECTORS...: a bounded run of a libFuzzer target from the
# vectors as seeds. The same seed each time, so that a failure comes again; an input
# that failed is kept in the current directory, and libFuzzer prints its name.
set -eu
fuzzer=$1 replay=$2 runs=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/seeds" "$work/corpus"
"$replay" --unpack "$work/seeds" "$@"
"$fuzzer" -runs="$runs" -seed=1 -max_len=4096 -timeout=300 -rss_limit_mb=1024 \
	-print_final_stats=1 "$work/corpus" "$work/seeds"
