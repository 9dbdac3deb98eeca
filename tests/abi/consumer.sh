#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#
# consumer.sh SOURCE BUILD: what `meson install` puts down is enough to build an embedder against,
# by pkg-config alone, shared and static, as C and as C++; and the installed programs start.
set -euo pipefail
export LC_ALL=C

source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
meson install -C "$build" --no-rebuild --quiet --destdir "$work/root" >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}
pc=$(find "$work/root" -name libattachverdict.pc)
export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
prefix=$(sed -n 's/^prefix=//p' "$pc")
libdir=${pc%/pkgconfig/*}
# The prefix only: the libraries that it needs are the system's.
sed -i "s|^prefix=.*|prefix=$work/root$prefix|" "$pc"
read -ra flags < <(pkg-config --cflags libattachverdict)
read -ra shared < <(pkg-config --libs libattachverdict)
read -ra below < <(pkg-config --libs --static libattachverdict | sed 's/ *-lattachverdict / /')

# usage PROGRAM: it starts, and says how it is used.
usage()
{
	local status=0

	LD_LIBRARY_PATH=$libdir "$1" >"$work/out" 2>&1 || status=$?
	cat "$work/out"
	[ $status = 2 ] && grep -q '^usage:' "$work/out"
}

cc -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$source/examples/embed_run.c" -o "$work/shared" \
	"${shared[@]}"
usage "$work/shared"
ldd_out=$(LD_LIBRARY_PATH=$libdir ldd "$work/shared")
grep -q "libattachverdict.so.0 => $libdir" <<<"$ldd_out"

# The library from its archive; the ones below it as the system has them.
cc -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$source/examples/embed_run.c" -o "$work/static" \
	"$libdir/libattachverdict.a" "${below[@]}"
usage "$work/static"
ldd_out=$(ldd "$work/static")
if grep -q libattachverdict <<<"$ldd_out"; then
	echo "the static consumer needs the shared library"
	exit 1
fi

printf '#include <attachverdict/attachverdict.h>\nint main() { return avd_version() == nullptr; }\n' \
	>"$work/one.cc"
c++ -std=c++17 -Wall -Wextra -Werror "${flags[@]}" "$work/one.cc" -o "$work/cxx" "${shared[@]}"
LD_LIBRARY_PATH=$libdir "$work/cxx"

LD_LIBRARY_PATH=$libdir "$work/root$prefix/bin/attachverdict" version
"$work/root$prefix/bin/attachverdict-fetch-kernel" --help | head -n 1
echo "shared, static and C++ consumers built and started"
