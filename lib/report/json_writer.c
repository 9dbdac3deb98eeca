// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/json_writer.h"

#include <inttypes.h>
#include <string.h>

static void new_line(struct avd__json *json)
{
	avd__buf_puts(json->out, "\n");
	for (unsigned i = 0; i < json->depth; i++)
		avd__buf_puts(json->out, "  ");
}

/* What goes before a value: the comma, the line and the key. */
static void before(struct avd__json *json, const char *key)
{
	if (json->depth) {
		if (!json->empty)
			avd__buf_puts(json->out, ",");
		new_line(json);
	}
	json->empty = 0;
	if (key)
		avd__buf_printf(json->out, "\"%s\": ", key);
}

void avd__json_open(struct avd__json *json, const char *key, char bracket)
{
	before(json, key);
	avd__buf_append(json->out, &bracket, 1);
	json->depth++;
	json->empty = 1;
}

void avd__json_close(struct avd__json *json, char bracket)
{
	json->depth--;
	if (!json->empty)
		new_line(json);
	avd__buf_append(json->out, &bracket, 1);
	json->empty = 0;
}

void avd__json_string(struct avd__json *json, const char *key, const char *text, size_t len)
{
	struct avd__buf clean = {0};

	before(json, key);
	avd__buf_puts(json->out, "\"");
	if (avd__buf_escape(&clean, text, len) < 0 && !json->out->error)
		json->out->error = clean.error;
	size_t from = 0;
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] != '"' && clean.data[i] != '\\')
			continue;
		avd__buf_append(json->out, clean.data + from, i - from);
		avd__buf_puts(json->out, "\\");
		from = i;
	}
	avd__buf_append(json->out, clean.len ? clean.data + from : "", clean.len - from);
	avd__buf_puts(json->out, "\"");
	avd__buf_free(&clean);
}

void avd__json_cstring(struct avd__json *json, const char *key, const char *text)
{
	if (text)
		avd__json_string(json, key, text, strlen(text));
	else
		avd__json_null(json, key);
}

void avd__json_u64(struct avd__json *json, const char *key, uint64_t value)
{
	const char *quote = value > AVD__JSON_INTEGER_MAX ? "\"" : "";
	before(json, key);
	avd__buf_printf(json->out, "%s%" PRIu64 "%s", quote, value, quote);
}

void avd__json_i64(struct avd__json *json, const char *key, int64_t value)
{
	const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	const char *quote = size > AVD__JSON_INTEGER_MAX ? "\"" : "";
	before(json, key);
	avd__buf_printf(json->out, "%s%" PRIi64 "%s", quote, value, quote);
}

void avd__json_bool(struct avd__json *json, const char *key, int value)
{
	before(json, key);
	avd__buf_puts(json->out, value ? "true" : "false");
}

void avd__json_null(struct avd__json *json, const char *key)
{
	before(json, key);
	avd__buf_puts(json->out, "null");
}
