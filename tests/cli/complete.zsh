# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# zsh complete.zsh DIRECTORY LINE...: what zsh's own completion offers at the end of each LINE, with
# the completion functions in DIRECTORY: a match a line, after each LINE's last one a line /end.
# A shell of its own behind a pseudoterminal does it, since completion works in an editor only.
zmodload zsh/zpty || exit 77

directory=$1
shift
zpty inner zsh -f -i

# until-mark MARK: what comes up to the mark is $REPLY; nobody waits for a shell that is gone.
until-mark()
{
	zpty -r inner REPLY "*$1*" || exit 1
	REPLY=${REPLY%$1*}
}

# The marks are put together there, so that the terminal's echo does not have them.
zpty -w inner "unsetopt zle_bracketed_paste; PS1= ; PS2= ; fpath=(${(q)directory} \$fpath)"
zpty -w inner "source ${(q)0:A:h}/capture.zsh; print -r -- \$'\1'ready"
until-mark $'\1ready'
for line; do
	zpty -w -n inner $'\x15'"$line"$'\t'
	until-mark $'\1begin\r\n'
	until-mark $'\1end'
	print -rn -- "${REPLY//$'\r'/}"
	print /end
done
