# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts of tools/ share: how they speak, stop and find their cache. To be sourced.

# Messages go to standard error: standard output is for what the caller asked for.
say()
{
	printf '%s\n' "$*" >&2
}

# Exit status 3 is that of attachverdict itself: it could not be tried.
die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 3
}

usage_error()
{
	printf '%s: %s (see --help)\n' "${0##*/}" "$*" >&2
	exit 2
}

# The same rule as the library's: $XDG_CACHE_HOME/attachverdict or ~/.cache/attachverdict.
default_cache_dir()
{
	local base=${XDG_CACHE_HOME-}

	case $base in
	/*) ;;
	*)
		[ -n "${HOME-}" ] || die "neither XDG_CACHE_HOME nor HOME is set: no place for the cache"
		base=$HOME/.cache
		;;
	esac
	printf '%s/attachverdict\n' "$base"
}

# take_lock FILE: exclusive until this process ends, however it ends.
take_lock()
{
	local fd

	mkdir -p "${1%/*}" || die "can't create ${1%/*}"
	exec {fd}>>"$1" || die "can't write $1"
	if ! flock -n "$fd"; then
		say "waiting for another run that holds $1"
		# Again and again, so that a trap of the script need not wait as long.
		until flock -w 1 -E 75 "$fd"; do
			[ $? = 75 ] || die "can't lock $1"
		done
	fi
}

# os_field NAME: a field of os-release, empty if it has none.
os_field()
{
	local file

	for file in /etc/os-release /usr/lib/os-release; do
		[ -r "$file" ] || continue
		# shellcheck disable=SC1090
		(
			. "$file"
			printf '%s' "${!1-}"
		)
		return
	done
}
