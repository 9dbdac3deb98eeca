// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void avd__text_add(struct avd__text *text, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const size_t room = text->size - text->len;
	const int n = vsnprintf(text->data + text->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

void avd__text_quote(struct avd__text *text, const void *bytes, size_t size)
{
	const unsigned char *in = bytes;

	avd__text_add(text, "\"");
	for (size_t i = 0; i < size; i++) {
		/* A cut between whole characters, with room for the closing quote. */
		if (text->len + 6 > text->size)
			break;
		if (in[i] >= 0x20 && in[i] < 0x7f && in[i] != '"' && in[i] != '\\')
			avd__text_add(text, "%c", in[i]);
		else
			avd__text_add(text, "\\x%02x", in[i]);
	}
	avd__text_add(text, "\"");
}

void avd__text_cpus(struct avd__text *text, const uint16_t *cpus, uint32_t count)
{
	avd__text_add(text, count == 1 ? "CPU " : "CPUs ");
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t first = i;
		while (i + 1 < count && cpus[i + 1] == cpus[i] + 1)
			i++;
		avd__text_add(text, "%s%u", first ? "," : "", cpus[first]);
		if (i > first)
			avd__text_add(text, "-%u", cpus[i]);
	}
}

size_t avd__bytes_find(const char *bytes, size_t size, const char *word)
{
	const char *at = memmem(bytes, size, word, strlen(word));
	return at ? (size_t)(at - bytes) : SIZE_MAX;
}

bool avd__bytes_have(const char *bytes, size_t size, const char *word)
{
	return avd__bytes_find(bytes, size, word) != SIZE_MAX;
}

bool avd__bytes_number(const char *bytes, size_t size, size_t *at, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t i = *at;

	for (; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
		const uint64_t digit = (uint64_t)(bytes[i] - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (i == *at)
		return false;
	*at = i;
	*ret_number = number;
	return true;
}
