/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A growing buffer with a sticky error: check once, at the end. */
#ifndef AVD_LIB_BASE_BUF_H
#define AVD_LIB_BASE_BUF_H

#include <attachverdict/base.h>

struct avd__buf {
	char *data; /* NUL-terminated whenever not NULL */
	size_t len;
	size_t cap;
	int error; /* 0 or a negative errno: -ENOMEM */
};

void avd__buf_free(struct avd__buf *buf);
int avd__buf_append(struct avd__buf *buf, const void *bytes, size_t size);
int avd__buf_puts(struct avd__buf *buf, const char *text);
int avd__buf_printf(struct avd__buf *buf, const char *fmt, ...) AVD_PRINTF(2, 3);
/* Appends hostile bytes so that a terminal shows them and obeys none of them: valid
 * UTF-8 stays, C0, DEL, C1, noncharacters and broken bytes become \xNN, '\n' and '\t' become \n and
 * \t. */
int avd__buf_escape(struct avd__buf *buf, const void *bytes, size_t size);
/* Hands the memory to the caller (avd_free()); -ENOMEM or the sticky error. */
int avd__buf_take(struct avd__buf *buf, char **ret_data, size_t *ret_len);

/* The same escaping into a fixed buffer, always NUL-terminated, cut at a whole escape.
 * Returns the length written. */
size_t avd__escape(char *out, size_t out_size, const void *bytes, size_t size);

#endif
