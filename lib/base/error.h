/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The message of a handle's last error: one line, bounded, no allocation. */
#ifndef AVD_LIB_BASE_ERROR_H
#define AVD_LIB_BASE_ERROR_H

#include <attachverdict/base.h>

/* Long enough for a path (PATH_MAX is 4096, but shown paths are cut), a cause and a remedy. */
#define AVD__ERROR_MAX 1024u

struct avd__error {
	char text[AVD__ERROR_MAX];
};

/* Sets the message (control characters are escaped) and returns -err, so that a
 * caller can write `return avd__fail(error, ENOENT, ...)`. `error` may be NULL.
 * errno is neither read nor changed. */
int avd__fail(struct avd__error *error, int err, const char *fmt, ...) AVD_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: that a failure is never taken for a success is told it. */
#define avd__fail(...) (avd__fail(__VA_ARGS__), -1)
#endif

/* Copies the message to a caller's buffer, cut to fit; size 0 is allowed. */
void avd__error_copy(const struct avd__error *error, char *buffer, size_t size);

#endif
