// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "verifier/line.h"

struct avd_str avd__skip(struct avd_str text, size_t count)
{
	if (count > text.len)
		count = text.len;
	if (!text.data) /* even 0 may not be added to it */
		return text;
	return (struct avd_str){.data = text.data + count, .len = text.len - count};
}

int avd__starts_with(struct avd_str text, const char *word)
{
	const size_t len = strlen(word);
	return text.len >= len && memcmp(text.data, word, len) == 0;
}

int avd__ends_with(struct avd_str text, const char *word)
{
	const size_t len = strlen(word);
	return text.len >= len && memcmp(text.data + text.len - len, word, len) == 0;
}

int avd__take(struct avd_str *text, const char *word)
{
	if (!avd__starts_with(*text, word))
		return 0;
	*text = avd__skip(*text, strlen(word));
	return 1;
}

int avd__take_number(struct avd_str *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t i = 0;
	while (i < text->len && text->data[i] >= '0' && text->data[i] <= '9') {
		if (number > (INT64_MAX - 9) / 10)
			return 0;
		number = number * 10 + (uint64_t)(text->data[i++] - '0');
	}
	if (i == 0)
		return 0;
	*text = avd__skip(*text, i);
	*ret_number = number;
	return 1;
}

size_t avd__find(struct avd_str text, const char *word)
{
	const char *found = text.len ? memmem(text.data, text.len, word, strlen(word)) : NULL;
	return found ? (size_t)(found - text.data) : SIZE_MAX;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct avd_str avd__trim(struct avd_str text)
{
	while (text.len && is_blank(text.data[text.len - 1]))
		text.len--;
	while (text.len && is_blank(text.data[0]))
		text = avd__skip(text, 1);
	return text;
}
