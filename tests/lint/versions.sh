#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# meson.build's version is that of everything which states one, and debian/ asks for the versions
# that the build asks for.
. "$(dirname "$0")/lint.sh"

version=$(sed -nE "s/^ *version: '([^']+)'.*/\1/p" meson.build | head -n 1)
[ -n "$version" ] || { echo "meson.build: no version"; exit 1; }
count=0
failed=0

# same FILE PATTERN [WANTED]: the first thing in FILE that the pattern's group matches.
same()
{
	local found wanted=${3-$version}

	count=$((count + 1))
	found=$(sed -nE "s/$2/\1/p" "$1" | head -n 1)
	if [ "$found" != "$wanted" ]; then
		echo "$1: '$found', where meson.build says '$wanted'"
		failed=$((failed + 1))
	fi
}

same tools/python/attachverdict/_version.py '^__version__ = "(.*)"$'
# The first entry: the revision behind the last '-' is the packager's.
same debian/changelog '^attachverdict \((.*)-[^-]*\) .*$'
same debian/control '^ *libbpf-dev \(>= 1:([0-9.]+)\).*$' \
	"$(sed -nE "s/^libbpf_static_dep = .*version: '>= ([0-9.]+)'.*/\1/p" meson.build)"
same tools/setup '^LIBBPF_MIN=(.*)$' \
	"$(sed -nE "s/^libbpf_static_dep = .*version: '>= ([0-9.]+)'.*/\1/p" meson.build)"
same debian/control '^ *meson \(>= ([0-9.]+)\).*$' \
	"$(sed -nE "s/^ *meson_version: '>= ([0-9]+\.[0-9]+)\.0'.*/\1/p" meson.build)"
# pip's and Meson's ways of installing the Python package name the same plugin.
same tools/python/entry_points.txt '^attachverdict = (.*)$' \
	"$(sed -nE 's/^attachverdict = "(attachverdict\..*)"$/\1/p' tools/python/pyproject.toml)"
finish $count $failed versions
