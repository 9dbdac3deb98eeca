# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the lint tests share. To be sourced; $1 is the source tree.
set -euo pipefail
export LC_ALL=C

top=$1
cd "$top"

skip()
{
	echo "skipped: $*"
	exit 77
}

need()
{
	command -v "$1" >/dev/null || skip "$1 is not installed (tools/setup --checks installs it)"
}

# tracked PATTERN...: the files of the project, whoever owns the checkout; without git, all
# that are not built or fetched.
tracked()
{
	if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@"
	else
		find . -type f -not -path './build*' -not -path './subprojects/*/source/*' \
			-not -path '*/.git/*' -printf '%P\n' | match "$@"
	fi | while IFS= read -r file; do
		[ ! -e "$file" ] || printf '%s\n' "$file" # not one that is being deleted
	done | sort
}

match()
{
	local file pattern

	while IFS= read -r file; do
		for pattern in "$@"; do
			# shellcheck disable=SC2053 # a pattern
			if [[ $file == $pattern ]]; then
				printf '%s\n' "$file"
				break
			fi
		done
	done
}

# scripts: the shell scripts, by name or by first line.
scripts()
{
	local file

	tracked '*' | while IFS= read -r file; do
		case $file in
		*.sh | completions/attachverdict) printf '%s\n' "$file" ;;
		*.*) ;;
		*) ! head -n 1 "$file" | grep -qaE '^#!.*/(ba)?sh' || printf '%s\n' "$file" ;;
		esac
	done
}

# finish COUNT FAILED WHAT: the verdict of a lint test; none at all to look at is a failure.
finish()
{
	echo "$1 $3 looked at, $2 with faults"
	[ "$1" -gt 0 ] && [ "$2" = 0 ]
}
