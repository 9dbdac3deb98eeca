# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# For the inner shell of complete.zsh: prints what would be offered in place of offering it.
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*' list-grouped false
zstyle ':completion:*' format ''
zstyle ':completion:*' completer _complete

# Where matches are only asked for, or tried, they are not offered yet.
compadd()
{
	local -a matches
	local -A before

	if [[ ${@[1,(i)(-|--)]} == *-([OAD]|[a-zA-Z]#[OAD])\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A matches "$@"
	zparseopts -E p:=before P:=before
	(( $#matches == 0 )) || print -rl -- "${IPREFIX}${(@)^matches/#/${before[-P]-}${before[-p]-}}"
	builtin compadd "$@"
}

# The widget: nothing is inserted and nothing listed.
capture()
{
	print -r -- $'\1begin'
	_main_complete
	print -r -- $'\1end'
	compstate[insert]= compstate[list]=
}
zle -C capture complete-word capture
bindkey '^I' capture
bindkey '^U' kill-whole-line
