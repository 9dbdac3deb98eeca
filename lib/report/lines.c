// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Counts the lines, and stores them if `out` is there. */
static size_t split(const char *bytes, size_t size, struct avd_str *out)
{
	size_t count = 0;
	for (size_t i = 0; i < size;) {
		size_t end = i;
		while (end < size && !is_end(bytes[end]))
			end++;
		if (end > i) {
			if (out)
				out[count] = (struct avd_str){.data = bytes + i, .len = end - i};
			count++;
		}
		i = end + 1;
	}
	return count;
}

int avd__lines_load(struct avd__lines *lines, const struct avd__tail *tail)
{
	*lines = (struct avd__lines){0};
	lines->bytes = malloc(AVD__EVIDENCE_TAIL);
	if (!lines->bytes)
		return -ENOMEM;
	const char *bytes = lines->bytes;
	size_t size = avd__tail_copy(tail, lines->bytes);
	if (tail->total > size) {
		size_t cut = 0;
		while (cut < size && !is_end(bytes[cut]))
			cut++;
		if (cut < size && split(bytes + cut, size - cut, NULL)) {
			bytes += cut;
			size -= cut;
		}
	}
	lines->count = split(bytes, size, NULL);
	lines->line = calloc(lines->count ? lines->count : 1, sizeof(*lines->line));
	if (!lines->line) {
		avd__lines_free(lines);
		return -ENOMEM;
	}
	split(bytes, size, lines->line);
	return 0;
}

void avd__lines_free(struct avd__lines *lines)
{
	free(lines->bytes);
	free(lines->line);
	*lines = (struct avd__lines){0};
}
