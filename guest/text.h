/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Text in a buffer of fixed size: no allocation, cut when full, always ended by NUL. */
#ifndef AVD_GUEST_TEXT_H
#define AVD_GUEST_TEXT_H

#include <attachverdict/base.h>
#include <stdbool.h>

struct avd__text {
	char *data;
	size_t size; /* of data; at least 1 */
	size_t len; /* below size */
};

static inline struct avd__text avd__text_on(char *data, size_t size)
{
	data[0] = '\0';
	return (struct avd__text){.data = data, .size = size};
}
static inline struct avd_str avd__text_str(const struct avd__text *text)
{
	return (struct avd_str){.data = text->data, .len = text->len};
}

void avd__text_add(struct avd__text *text, const char *fmt, ...) AVD_PRINTF(2, 3);
/* Quotes bytes from outside: what is not printable ASCII, and the quote itself, as \xNN. A
 * frame's text must be UTF-8, and a name must not be able to imitate the text around it. */
void avd__text_quote(struct avd__text *text, const void *bytes, size_t size);

/* "CPU 2" or "CPUs 0-3,7": ascending numbers, count > 0. */
void avd__text_cpus(struct avd__text *text, const uint16_t *cpus, uint32_t count);

/* Is `word` in bytes[0..size)? Where it starts, or SIZE_MAX. */
size_t avd__bytes_find(const char *bytes, size_t size, const char *word);
bool avd__bytes_have(const char *bytes, size_t size, const char *word);

/* A decimal number at bytes[*at..size); moves *at behind it. False: none, or too large. */
bool avd__bytes_number(const char *bytes, size_t size, size_t *at, uint64_t *ret_number);

#endif
