// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "qemu/qmp.h"

#include <stdint.h>
#include <string.h>

const char avd__qmp_hello[] = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n";

/* Deeper nesting than any QMP line we care for. */
#define DEPTH_MAX 16

struct scan {
	const char *p, *end;
};

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

static int hex4(struct scan *s, uint32_t *ret_value)
{
	uint32_t value = 0;
	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char c = *s->p++;
		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	*ret_value = value;
	return 0;
}

/* One escape after its backslash. What isn't ASCII becomes '?': these are words for people. */
static int escape(struct scan *s, char *ret_char)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/    \t";
	uint32_t code;

	if (s->p >= s->end)
		return -1;
	const char c = *s->p++;
	if (c == 'u') {
		if (hex4(s, &code))
			return -1;
		*ret_char = (char)(code >= 0x20 && code < 0x7f ? code : '?');
		return 0;
	}
	const char *known = memchr(from, c, sizeof(from) - 1);
	if (!known)
		return -1;
	*ret_char = to[known - from];
	return 0;
}

/* A string whose quote was seen; out may be NULL. */
static int string(struct scan *s, char *out, size_t out_size)
{
	size_t len = 0;
	while (s->p < s->end && *s->p != '"') {
		char c = *s->p++;
		if ((unsigned char)c < 0x20 || (c == '\\' && escape(s, &c)))
			return -1;
		if (out && len + 1 < out_size)
			out[len++] = c;
	}
	if (s->p >= s->end)
		return -1;
	s->p++;
	if (out)
		out[len] = '\0';
	return 0;
}

struct parser {
	struct scan s;
	struct avd__qmp_line line;
	int depth;
	char closer[DEPTH_MAX]; /* of each open one */
	char key[AVD__QMP_STRING_MAX]; /* last one at depth 1 */
	char inner[AVD__QMP_STRING_MAX]; /* last one at depth 2 */
};

/* Where the string value that comes now is kept, or NULL. */
static char *place(struct parser *p)
{
	if (p->depth == 1 && !strcmp(p->key, "event"))
		return p->line.event;
	if (p->depth == 2 && p->closer[1] == '}') {
		if (!strcmp(p->key, "data") && !strcmp(p->inner, "reason"))
			return p->line.reason;
		if (!strcmp(p->key, "error") && !strcmp(p->inner, "desc"))
			return p->line.error;
	}
	return NULL;
}

static int key(struct parser *p)
{
	char *keep = p->depth == 1 ? p->key : p->depth == 2 ? p->inner : NULL;
	skip_space(&p->s);
	if (p->s.p >= p->s.end || *p->s.p++ != '"' || string(&p->s, keep, AVD__QMP_STRING_MAX))
		return -1;
	skip_space(&p->s);
	if (p->s.p >= p->s.end || *p->s.p++ != ':')
		return -1;
	if (p->depth == 1 && !strcmp(p->key, "QMP"))
		p->line.greeting = true;
	return 0;
}

/* One value, or the opening of one; *ret_open tells. */
static int value(struct parser *p, bool *ret_open)
{
	*ret_open = false;
	skip_space(&p->s);
	if (p->s.p >= p->s.end)
		return -1;
	const char c = *p->s.p;
	if (c == '"') {
		p->s.p++;
		return string(&p->s, place(p), AVD__QMP_STRING_MAX);
	}
	if (c == '{' || c == '[') {
		if (p->depth == DEPTH_MAX)
			return -1;
		p->closer[p->depth++] = c == '{' ? '}' : ']';
		p->s.p++;
		*ret_open = true;
		return 0;
	}
	const char *start = p->s.p; /* a number or a word: nobody reads it */
	while (p->s.p < p->s.end && *p->s.p != '\0' &&
	       strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *p->s.p))
		p->s.p++;
	return p->s.p > start ? 0 : -1;
}

/* After a value: closes what ends, stops at a comma. */
static int close_all(struct parser *p)
{
	while (p->depth) {
		skip_space(&p->s);
		if (p->s.p >= p->s.end)
			return -1;
		const char c = *p->s.p++;
		if (c == ',')
			return 0;
		if (c != p->closer[--p->depth])
			return -1;
	}
	return 0;
}

int avd__qmp_parse(const char *text, size_t len, struct avd__qmp_line *ret_line)
{
	struct parser p = {.s = {text, text + len}};
	bool open;

	skip_space(&p.s);
	if (p.s.p >= p.s.end || *p.s.p != '{' || value(&p, &open))
		return -1;
	while (p.depth) {
		const char closer = p.closer[p.depth - 1];
		skip_space(&p.s);
		if (open && p.s.p < p.s.end && *p.s.p == closer) { /* {} or [] */
			open = false;
			if (close_all(&p))
				return -1;
			continue;
		}
		if (closer == '}' && key(&p))
			return -1;
		if (value(&p, &open))
			return -1;
		if (!open && close_all(&p))
			return -1;
	}
	skip_space(&p.s);
	if (p.s.p != p.s.end)
		return -1;
	*ret_line = p.line;
	return 0;
}

void avd__qmp_feed(struct avd__qmp *qmp, const void *bytes, size_t size,
		   void (*fn)(void *userdata, const struct avd__qmp_line *line), void *userdata)
{
	const char *p = bytes, *end = p + size;
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const size_t n = (size_t)((eol ? eol : end) - p);
		if (n > sizeof(qmp->line) - qmp->len)
			qmp->skipping = true;
		if (!qmp->skipping) {
			memcpy(qmp->line + qmp->len, p, n);
			qmp->len += n;
		}
		if (eol) {
			struct avd__qmp_line line;
			if (!qmp->skipping && avd__qmp_parse(qmp->line, qmp->len, &line) == 0)
				fn(userdata, &line);
			qmp->len = 0;
			qmp->skipping = false;
		}
		p += n + (eol ? 1 : 0);
	}
}
