/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Words that can be pasted into a shell. */
#ifndef AVD_LIB_BASE_SHELL_H
#define AVD_LIB_BASE_SHELL_H

#include "base/buf.h"

/* Appends one word as a shell takes it, and as a terminal may show it: as it is, in single quotes,
 * or with bytes that can't be shown as $'...', which bash, zsh and POSIX.1-2024 know. It holds no
 * NUL. */
void avd__put_shell_word(struct avd__buf *out, const char *word, size_t len);

#endif
