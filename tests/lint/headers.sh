#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# Each public header compiles on its own, as C11 and as C++17, without a warning.
. "$(dirname "$0")/lint.sh"
need gcc
need g++

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-Iinclude -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only)
compilers=(gcc g++)
for compiler in clang clang++ musl-gcc; do
	! command -v $compiler >/dev/null || compilers+=("$compiler")
done
count=0
failed=0
for header in include/attachverdict/*.h; do
	count=$((count + 1))
	printf '#include <attachverdict/%s>\n#include <attachverdict/%s>\n' \
		"${header##*/}" "${header##*/}" | tee "$work/one.c" >"$work/one.cc"
	for compiler in "${compilers[@]}"; do
		case $compiler in
		*++) source=("$work/one.cc" -std=c++17) ;;
		*) source=("$work/one.c" -std=c11 -Wstrict-prototypes) ;;
		esac
		if ! "$compiler" "${flags[@]}" "${source[@]}"; then
			echo "$header: $compiler refuses it"
			failed=$((failed + 1))
		fi
	done
done
echo "compilers: ${compilers[*]}"
finish $count $failed headers
