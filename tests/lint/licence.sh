#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# Every file says its licence, and each licence named is one whose text is in LICENSES.
. "$(dirname "$0")/lint.sh"

expected='BSD-2-Clause OR LGPL-2.1-or-later'
count=0
failed=0
while IFS= read -r file; do
	case $file in
	LICENSES/* | *.license) continue ;;
	esac
	count=$((count + 1))
	# What can't hold a comment has its licence in a file beside it, or beside its directory.
	holder=$file
	for beside in "$file.license" "${file%/*}.license"; do
		[ ! -e "$beside" ] || holder=$beside
	done
	found=$(head -n 12 "$holder" | sed -nE 's/.*SPDX-License-Identifier: *([A-Za-z0-9.() -]*[A-Za-z0-9)]).*/\1/p' | head -n 1)
	case $file:$found in
	*:"$expected") ;;
	*.bpf.[ch]:GPL-2.0-only) ;;
	# They can't hold a comment; debian/copyright speaks for them.
	debian/changelog: | debian/copyright: | debian/source/format:) ;;
	*:)
		echo "$file: no SPDX-License-Identifier line"
		failed=$((failed + 1))
		;;
	*)
		echo "$file: licence '$found'; expected '$expected', or GPL-2.0-only for a BPF program"
		failed=$((failed + 1))
		;;
	esac
done < <(tracked '*')
for licence in BSD-2-Clause LGPL-2.1-or-later GPL-2.0-only; do
	if [ ! -s "LICENSES/$licence.txt" ]; then
		echo "LICENSES/$licence.txt is missing"
		failed=$((failed + 1))
	fi
done
finish $count $failed files
