/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Writes one JSON text (RFC 8259), indented, into a buffer whose error is sticky. */
#ifndef AVD_LIB_REPORT_JSON_WRITER_H
#define AVD_LIB_REPORT_JSON_WRITER_H

#include "base/buf.h"

struct avd__json {
	struct avd__buf *out;
	unsigned depth;
	int empty; /* nothing stands yet in the container that is open */
};

/* RFC 7493 (I-JSON): beyond this, readers that keep numbers as doubles lose digits. */
#define AVD__JSON_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

/* Inside an object `key` is the member's name (plain ASCII); in an array and for the
 * outermost value it is NULL. Each open is ended by avd__json_close() with its bracket. */
void avd__json_open(struct avd__json *json, const char *key, char bracket);
void avd__json_close(struct avd__json *json, char bracket);

/* Bytes of unknown origin: escaped as avd__buf_escape() does, so the JSON is UTF-8 without
 * control characters even once it is decoded. */
void avd__json_string(struct avd__json *json, const char *key, const char *text, size_t len);
/* NULL becomes null. */
void avd__json_cstring(struct avd__json *json, const char *key, const char *text);
/* A number, or beyond AVD__JSON_INTEGER_MAX a string of its decimal digits. */
void avd__json_u64(struct avd__json *json, const char *key, uint64_t value);
void avd__json_i64(struct avd__json *json, const char *key, int64_t value);
void avd__json_bool(struct avd__json *json, const char *key, int value);
void avd__json_null(struct avd__json *json, const char *key);

#endif
