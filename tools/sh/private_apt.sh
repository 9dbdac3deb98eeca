# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# shellcheck shell=bash
#
# Packages of other suites of the machine's own mirror, downloaded and verified by apt, without
# a change to the system: each suite has a private apt state in the user's cache. To be sourced
# after common.sh.

# An index younger than this is not fetched again (minutes): mirrors change a few times a day.
PRIVATE_APT_MAX_AGE=${PRIVATE_APT_MAX_AGE:-720}

# apt_sources: "URI SUITE KEYRING" of each enabled binary source of this machine; KEYRING is -
# where the source names none. Both formats are read. A key that stands in the source itself
# is written to $1.
apt_sources()
{
	local keydir=$1 file

	mkdir -p "$keydir"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$file" ] || continue
		awk '
		$1 != "deb" { next }
		{
			key = "-"; at = 2
			if ($2 ~ /^\[/) {
				for (; at <= NF; at++) {
					option = $at; gsub(/[][]/, "", option)
					if (tolower(option) ~ /^signed-by=/) {
						key = substr(option, 11); sub(/,.*/, "", key)
					}
					if ($at ~ /\]$/) { at++; break }
				}
			}
			if ($at !~ /^cdrom:/ && $(at + 1) !~ /\/$/) print $at, $(at + 1), key
		}' "$file"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		awk -v keydir="$keydir" -v name="${file##*/}" '
		function flush(   u, s, i, j, nu, ns, path) {
			if (types ~ /(^| )deb( |$)/ && tolower(enabled) !~ /^(no|false|off|0)$/) {
				if (key == "" ) key = "-"
				if (inline != "") {
					path = keydir "/" name "-" stanza ".asc"
					printf "%s", inline > path; close(path); key = path
				}
				sub(/ .*/, "", key)
				nu = split(uris, u, " "); ns = split(suites, s, " ")
				for (i = 1; i <= nu; i++) for (j = 1; j <= ns; j++)
					if (s[j] !~ /\/$/ && u[i] !~ /^cdrom:/) print u[i], s[j], key
			}
			types = uris = suites = enabled = key = inline = field = ""; stanza++
		}
		/^[ \t]*$/ { flush(); next }
		/^#/ { next }
		/^[ \t]/ {
			value = $0; sub(/^[ \t]+/, "", value); if (value == ".") value = ""
		}
		/^[^ \t]/ {
			at = index($0, ":"); field = tolower(substr($0, 1, at - 1))
			value = substr($0, at + 1); gsub(/^[ \t]+|[ \t]+$/, "", value)
		}
		field == "types" { types = types " " value }
		field == "uris" { uris = uris " " value }
		field == "suites" { suites = suites " " value }
		field == "enabled" { enabled = value }
		field == "signed-by" {
			if (inline != "" || value ~ /^-----BEGIN/) inline = inline value "\n"
			else if (value != "" && key == "") key = value
		}
		END { flush() }' "$file"
	done
}

# find_mirror CACHE: sets MIRROR_URI and MIRROR_KEY to the machine's own mirror of its
# distribution. That is the source of its release which also has the release's -updates, or,
# if none has, the first one of its release.
find_mirror()
{
	local codename all uri suite key

	codename=$(os_field VERSION_CODENAME)
	all=$(apt_sources "$1/apt/keys")
	MIRROR_URI=
	MIRROR_KEY=
	while read -r uri suite key; do
		case $suite in
		"$codename" | stable | oldstable | testing | unstable | sid | devel) ;;
		*) continue ;;
		esac
		if [ -z "$MIRROR_URI" ] ||
			{ grep -qF "$uri $suite-updates " <<<"$all" && [ -z "${found-}" ]; }; then
			MIRROR_URI=${uri%/}
			MIRROR_KEY=$key
			! grep -qF "$uri $suite-updates " <<<"$all" || local found=1
		fi
	done <<<"$all"
	[ -n "$MIRROR_URI" ] ||
		die "no source for ${codename:-this release} in /etc/apt: add the distribution's own mirror there"
	[ "$MIRROR_KEY" != - ] || MIRROR_KEY=
	# A source may name its key by a fingerprint: any key that apt trusts then.
	case $MIRROR_KEY in
	/*) ;;
	*) MIRROR_KEY= ;;
	esac
}

# suite_dir CACHE SUITE KIND: where its private state is; KIND is deb or deb-src.
suite_dir()
{
	printf '%s/apt/%s-%s\n' "$1" "$2" "$3"
}

# private_apt DIR COMMAND...: an apt program with the private state in DIR.
private_apt()
{
	local dir=$1

	shift
	APT_CONFIG=$dir/apt.conf LC_ALL=C "$@"
}

# open_suite CACHE SUITE KIND: makes its index ready and sets SUITE_DIR. Returns 1, with a
# message, if the mirror does not have it and no older index can be used.
open_suite()
{
	local cache=$1 suite=$2 kind=$3 dir stamp

	dir=$(suite_dir "$cache" "$suite" "$kind")
	# shellcheck disable=SC2034 # for the caller
	SUITE_DIR=$dir
	stamp=$dir/updated
	[ -n "${MIRROR_URI-}" ] || find_mirror "$cache"
	write_apt_conf "$dir"
	printf '%s [arch=%s%s] %s %s main\n' "$kind" "$(dpkg --print-architecture)" \
		"${MIRROR_KEY:+ signed-by=$MIRROR_KEY}" "$MIRROR_URI" "$suite" >"$dir/sources.list.new"
	if cmp -s "$dir/sources.list.new" "$dir/sources.list" && [ -e "$stamp" ] &&
		[ -n "$(find "$stamp" -mmin "-$PRIVATE_APT_MAX_AGE")" ]; then
		return 0
	fi
	mv "$dir/sources.list.new" "$dir/sources.list"
	say "reading the index of $suite ($kind) into $dir"
	if private_apt "$dir" apt-get update -q -o APT::Update::Error-Mode=any \
		>"$dir/update.log" 2>&1; then
		touch "$stamp"
		return 0
	fi
	if [ -e "$stamp" ]; then
		say "the index of $suite could not be read anew; going on with that of $(date -r "$stamp" +%F)"
		return 0
	fi
	say "the index of $suite could not be read:"
	sed -n 's/^[EW]: /  /p' "$dir/update.log" >&2
	return 1
}

# The machine's own settings for downloads (proxies, timeouts) are kept; its hooks, pins and
# other indexes are not.
write_apt_conf()
{
	local dir=$1

	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/conf.d" "$dir/empty" || die "can't write $dir"
	apt-config dump | sed -n -e '/^Acquire::IndexTargets/d' -e '/^Acquire::Languages/d' \
		-e '/^Acquire::/p' >"$dir/conf.d/machine.conf.new"
	mv "$dir/conf.d/machine.conf.new" "$dir/conf.d/machine.conf"
	: >"$dir/status"
	cat >"$dir/apt.conf.new" <<-CONF
		Dir::Etc::parts "$dir/conf.d";
		Dir::Etc::main "/dev/null";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/empty";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$dir/empty";
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::archives "$dir/archives";
		Dir::Log "$dir";
		Acquire::Languages "none";
		Acquire::GzipIndexes "true";
		Acquire::Retries "3";
		APT::Sandbox::User "root";
		APT::Get::List-Cleanup "true";
		Dpkg::Use-Pty "0";
	CONF
	mv "$dir/apt.conf.new" "$dir/apt.conf"
}

# suite_versions DIR PACKAGE: its versions in the suite, newest first.
suite_versions()
{
	private_apt "$1" apt-cache madison "$2" 2>/dev/null | awk -F ' *[|] *' '{ print $2 }'
}

# download_deb DIR PACKAGE VERSION INTO: prints the file's path.
download_deb()
{
	download_uri "$1" "$2 $3" "$4" \
		< <(cd "$1/empty" && private_apt "$1" apt-get download -q --print-uris "$2=$3" 2>&1)
}

# download_orig DIR SOURCE VERSION INTO: the same for the upstream tarball of a source package.
download_orig()
{
	download_uri "$1" "the source of $2 $3" "$4" < <(cd "$1/empty" && private_apt "$1" \
		apt-get source -q --print-uris "$2=$3" 2>&1 | grep -E "^[EW]:|\.orig\.tar\.[a-z0-9]+ ")
}

# download_uri DIR WHAT INTO: what apt's --print-uris said is on standard input. apt's helper
# takes up an interrupted download where it ended and checks the result against the signed
# index, also a file that is there already (`apt-get download` goes by its size).
download_uri()
{
	local dir=$1 what=$2 into=$3 uris uri file size hash

	mkdir -p "$into" || return 1
	uris=$(cat)
	read -r uri file size hash < <(grep "^'" <<<"$uris")
	case ${hash-} in
	SHA256:* | SHA512:*) ;;
	*)
		say "the index has no $what, or no checksum of it"
		sed -n 's/^[EW]: /  /p' <<<"$uris" >&2
		return 1
		;;
	esac
	uri=${uri#\'}
	if ! private_apt "$dir" /usr/lib/apt/apt-helper download-file "${uri%\'}" "$into/$file" \
		"$hash" >"$dir/download.log" 2>&1; then
		say "$what ($size bytes) could not be downloaded:"
		sed -n 's/^[EW]: /  /p' "$dir/download.log" >&2
		return 1
	fi
	printf '%s/%s\n' "$into" "$file"
}
