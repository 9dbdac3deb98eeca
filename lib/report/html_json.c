// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "report/html.h"

/* How many bytes at `at` are one character that may not stand in a script, and its escape. */
static size_t markup(const char *at, size_t left, const char **ret_escape)
{
	/* U+2028 and U+2029 end a line in older JavaScript, and JSON lets them stand. */
	static const char separator[] = "\xe2\x80";
	switch (*at) {
	case '<':
		*ret_escape = "\\u003c";
		return 1;
	case '>':
		*ret_escape = "\\u003e";
		return 1;
	case '&':
		*ret_escape = "\\u0026";
		return 1;
	default:
		break;
	}
	if (left < 3 || memcmp(at, separator, 2) != 0 || (at[2] != '\xa8' && at[2] != '\xa9'))
		return 0;
	*ret_escape = at[2] == '\xa8' ? "\\u2028" : "\\u2029";
	return 3;
}

/* Outside of its strings JSON has none of these characters, so all are replaced alike. */
void avd__html_json(struct avd__buf *out, const char *json, size_t size)
{
	size_t from = 0, at = 0;
	while (at < size) {
		const char *escape;
		const size_t len = markup(json + at, size - at, &escape);
		if (len) {
			avd__buf_append(out, json + from, at - from);
			avd__buf_puts(out, escape);
			from = at + len;
		}
		at += len ? len : 1;
	}
	avd__buf_append(out, json + from, size - from);
}
