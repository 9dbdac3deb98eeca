#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#
# The library as its users get it: installed, found by pkg-config alone, linked shared and
# with libattachverdict.a.
# usage: consumer.sh CC BUILD_DIR EXAMPLE.c
set -eu
cc=$1 build=$2 example=$3
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT

DESTDIR=$top meson install -C "$build" --no-rebuild --quiet --tags devel,runtime
pc=$(find "$top" -name libattachverdict.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH="$(dirname "$pc")"
# Only our own files live under $top: the paths of this package are turned to it, and those of
# the libraries it stands on stay.
prefix=$(pkg-config --variable=prefix libattachverdict)
sed -i "s,^prefix=.*,prefix=$top$prefix," "$pc"

$cc -std=c11 -Wall -Wextra -Werror -o "$top/shared" "$example" \
	$(pkg-config --cflags --libs libattachverdict)
LD_LIBRARY_PATH=$libdir "$top/shared" 2>/dev/null && exit 1 || [ $? -eq 2 ] # usage
readelf -d "$top/shared" | grep -q 'libattachverdict.so.0'

mv "$libdir/libattachverdict.so" "$top/hidden.so" # so that the linker takes the archive
$cc -std=c11 -o "$top/static" "$example" $(pkg-config --cflags --static --libs libattachverdict)
"$top/static" 2>/dev/null && exit 1 || [ $? -eq 2 ]
! readelf -d "$top/static" | grep -q libattachverdict
echo "shared and static consumers build and run"
