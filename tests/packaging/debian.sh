#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#
# debian.sh SOURCE OUTPUT: tools/deb builds the packages from a checkout, lintian finds nothing in
# them, each installed file is in one package, and what they unpack works.
set -euo pipefail
export LC_ALL=C

source=$1
output=$2
for tool in dh dh_python3 dpkg-buildpackage git lintian; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: $tool is not installed (tools/setup --checks installs it)"
		exit 77
	fi
done
if ! git -c safe.directory='*' -C "$source" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	echo "skipped: $source is no git checkout"
	exit 77
fi

faults=0
fault()
{
	echo "fault: $*"
	faults=$((faults + 1))
}

# Two at a time: the machine has other tests to run.
DEB_BUILD_OPTIONS='parallel=2 nocheck noautodbgsym' "$source/tools/deb" --no-setup --output "$output" \
	>"$output.log" 2>&1 || {
	cat "$output.log"
	exit 1
}

# All but experimental tags; an override has its reason beside it.
lintian --allow-root --no-cfg --info --display-info --pedantic \
	--fail-on error,warning,info,pedantic "$output"/*.changes || fault "lintian has complaints"

# dh_missing has looked for files in no package; here for files in two.
root=$output/root
rm -rf "$root"
mkdir "$root"
for package in "$output"/*.deb; do
	dpkg-deb -x "$package" "$root"
	dpkg-deb -c "$package" | awk '$1 !~ /^d/ { print $6 }'
done | sort >"$output/files"
[ -z "$(uniq -d "$output/files")" ] || fault "in two packages: $(uniq -d "$output/files")"

# What is there works from where it was unpacked.
libdir=$(dirname "$(find "$root" -name 'libattachverdict.so.0')")
export LD_LIBRARY_PATH=$libdir PYTHONDONTWRITEBYTECODE=1
version=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Version)
"$root/usr/bin/attachverdict" version | grep -F "${version%-*}" || fault "attachverdict version"
PYTHONPATH=$root/usr/lib/python3/dist-packages /usr/bin/python3 - <<'PYTHON' || fault "Python"
import attachverdict, importlib.metadata
assert importlib.metadata.version("attachverdict") == attachverdict.library_version()
assert [e.value for e in importlib.metadata.entry_points(group="pytest11")
        if e.name == "attachverdict"] == ["attachverdict.pytest_plugin"]
PYTHON
if readelf -dW "$root/usr/bin/attachverdict" "$libdir/libattachverdict.so.0" |
	grep -E 'RPATH|RUNPATH|NEEDED.*libbpf'; then
	fault "a run path, or a library that the packages do not depend on"
fi
# has FILE PATTERN: what readelf tells of FILE. It is read to the end, for pipefail's sake.
has()
{
	[ "$(readelf -hldW --dyn-syms "$1" | grep -cE "$2")" != 0 ] || fault "$1: no '$2'"
}
for file in "$root/usr/bin/attachverdict" "$libdir/libattachverdict.so.0"; do
	has "$file" 'Flags:.*NOW'
	has "$file" GNU_RELRO
	has "$file" '_chk@GLIBC'
	has "$file" 'Type: *DYN' # position-independent
done
rm -rf "$root"
[ $faults = 0 ]
echo "$(wc -l <"$output/files") files in $(find "$output" -name '*.deb' | wc -l) packages"
