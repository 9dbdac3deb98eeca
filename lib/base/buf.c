// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void avd__buf_free(struct avd__buf *buf)
{
	free(buf->data);
	*buf = (struct avd__buf){0};
}

/* Makes room for `more` bytes and a NUL behind what is there. */
static int buf_reserve(struct avd__buf *buf, size_t more)
{
	if (buf->error)
		return buf->error;
	if (more >= SIZE_MAX / 2 - buf->len)
		return buf->error = -ENOMEM;
	const size_t need = buf->len + more + 1;
	if (need <= buf->cap)
		return 0;
	size_t cap = buf->cap ? buf->cap : 256;
	while (cap < need)
		cap *= 2;
	char *data = realloc(buf->data, cap);
	if (!data)
		return buf->error = -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

int avd__buf_append(struct avd__buf *buf, const void *bytes, size_t size)
{
	const int r = buf_reserve(buf, size);
	if (r < 0)
		return r;
	if (size)
		memcpy(buf->data + buf->len, bytes, size);
	buf->len += size;
	buf->data[buf->len] = '\0';
	return 0;
}

int avd__buf_puts(struct avd__buf *buf, const char *text)
{
	return avd__buf_append(buf, text, strlen(text));
}

int avd__buf_printf(struct avd__buf *buf, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const int need = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (need < 0)
		return buf->error = -EINVAL;
	const int r = buf_reserve(buf, (size_t)need);
	if (r < 0)
		return r;
	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)need;
	return 0;
}

int avd__buf_take(struct avd__buf *buf, char **ret_data, size_t *ret_len)
{
	const int r = buf_reserve(buf, 0);
	if (r < 0) {
		avd__buf_free(buf);
		return r;
	}
	buf->data[buf->len] = '\0';
	*ret_data = buf->data;
	if (ret_len)
		*ret_len = buf->len;
	*buf = (struct avd__buf){0};
	return 0;
}

/* Length of the sound UTF-8 sequence of a printable character at p, or 0 (RFC 3629). */
static size_t utf8_printable(const uint8_t *p, size_t size)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	size_t len;
	uint32_t c, least;
	if ((p[0] & 0xe0) == 0xc0) {
		len = 2, c = p[0] & 0x1f, least = 0x80;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3, c = p[0] & 0x0f, least = 0x800;
	} else if ((p[0] & 0xf8) == 0xf0) {
		len = 4, c = p[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	if (len > size)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0xa0) /* C1 controls: some terminals obey them */
		return 0;
	/* Marks that reorder or hide text: U+200B..200F, 2028..202E, 2060..206F, FEFF. */
	if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	/* Noncharacters: XML 1.0 and YAML 1.2 forbid U+FFFE and U+FFFF. */
	if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef))
		return 0;
	return len;
}

/* One step of escaping: writes at most 4 bytes to out, returns how many; *ret_used input bytes. */
static size_t escape_one(const uint8_t *p, size_t size, char out[4], size_t *ret_used)
{
	static const char hex[] = "0123456789abcdef";
	const size_t good = utf8_printable(p, size);
	if (good) {
		memcpy(out, p, good);
		*ret_used = good;
		return good;
	}
	*ret_used = 1;
	out[0] = '\\';
	if (p[0] == '\n' || p[0] == '\t') {
		out[1] = p[0] == '\n' ? 'n' : 't';
		return 2;
	}
	out[1] = 'x';
	out[2] = hex[p[0] >> 4];
	out[3] = hex[p[0] & 15];
	return 4;
}

int avd__buf_escape(struct avd__buf *buf, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	while (size) {
		char out[4];
		size_t used;
		const size_t len = escape_one(p, size, out, &used);
		const int r = avd__buf_append(buf, out, len);
		if (r < 0)
			return r;
		p += used;
		size -= used;
	}
	return 0;
}

size_t avd__escape(char *out, size_t out_size, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	size_t len = 0;
	if (out_size == 0)
		return 0;
	while (size) {
		char piece[4];
		size_t used;
		const size_t n = escape_one(p, size, piece, &used);
		if (n > out_size - 1 - len)
			break;
		memcpy(out + len, piece, n);
		len += n;
		p += used;
		size -= used;
	}
	out[len] = '\0';
	return len;
}
