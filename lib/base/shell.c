// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/shell.h"

#include <string.h>

/* Characters that no shell takes for anything else. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/:=,@%"

static int is_plain(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!memchr(PLAIN, word[i], sizeof(PLAIN) - 1))
			return 0;
	}
	return len > 0;
}

static int is_showable(const char *word, size_t len)
{
	struct avd__buf shown = {0};
	avd__buf_escape(&shown, word, len);
	const int same = shown.len == len;
	avd__buf_free(&shown);
	return same;
}

/* What stands before the next one of `marks`. */
static size_t before(const char *word, size_t len, const char *marks)
{
	size_t at = 0;
	while (at < len && !strchr(marks, word[at]))
		at++;
	return at;
}

/* The escapes of avd__buf_escape() are those of $'...'. */
static void put_escaped(struct avd__buf *out, const char *word, size_t len)
{
	avd__buf_puts(out, "$'");
	while (len) {
		const size_t piece = before(word, len, "'\\");
		avd__buf_escape(out, word, piece);
		if (piece < len)
			avd__buf_printf(out, "\\%c", word[piece]);
		word += piece + (piece < len);
		len -= piece + (piece < len);
	}
	avd__buf_puts(out, "'");
}

/* A quote in single quotes is written '\''. */
static void put_quoted(struct avd__buf *out, const char *word, size_t len)
{
	avd__buf_puts(out, "'");
	while (len) {
		const size_t piece = before(word, len, "'");
		avd__buf_append(out, word, piece);
		if (piece < len)
			avd__buf_puts(out, "'\\''");
		word += piece + (piece < len);
		len -= piece + (piece < len);
	}
	avd__buf_puts(out, "'");
}

void avd__put_shell_word(struct avd__buf *out, const char *word, size_t len)
{
	if (is_plain(word, len))
		avd__buf_append(out, word, len);
	else if (is_showable(word, len))
		put_quoted(out, word, len);
	else
		put_escaped(out, word, len);
}
