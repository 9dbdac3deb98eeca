#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# No host name of a package mirror in the tree: the scripts take the machine's own at run time.
. "$(dirname "$0")/lint.sh"
. tools/sh/common.sh
. tools/sh/private_apt.sh
need apt-config

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t hosts < <(apt_sources "$work" | sed -nE 's#^[a-z+]*://([^/:@ ]*@)?([^/: ]+).*#\2#p' | sort -u)
[ ${#hosts[@]} -gt 0 ] || skip "this machine's package sources name no host"
echo "looking for: ${hosts[*]}"

mapfile -t files < <(tracked '*')
failed=0
for host in "${hosts[@]}"; do
	if grep -InF -- "$host" "${files[@]}"; then
		failed=$((failed + 1))
	fi
done
finish ${#files[@]} $failed files
