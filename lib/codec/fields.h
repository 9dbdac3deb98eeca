/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The kinds of messages and their fields as one table: it drives the encoder, the
 * decoder and the test of messages.cddl, so they cannot drift apart.
 */
#ifndef AVD_LIB_CODEC_FIELDS_H
#define AVD_LIB_CODEC_FIELDS_H

#include <attachverdict/message.h>
#include <stdbool.h>

/* Keys of every message. A kind's own fields follow from AVD__KEY_FIRST in the struct's order. */
#define AVD__KEY_KIND 0u
#define AVD__KEY_TIME 1u
#define AVD__KEY_FIRST 2u

enum avd__field_type {
	AVD__FIELD_U32,
	AVD__FIELD_U64,
	AVD__FIELD_I32,
	AVD__FIELD_I64,
	AVD__FIELD_TEXT, /* struct avd_str: a text string, or a byte string if it is not UTF-8 */
	AVD__FIELD_BYTES, /* struct avd_bytes */
	AVD__FIELD_STRV, /* struct avd_strv: an array of such texts */
};

struct avd__field {
	const char *name; /* as in the struct */
	uint16_t offset; /* in struct avd_message */
	uint8_t key;
	uint8_t type; /* enum avd__field_type */
	bool optional; /* a writer may leave it out: zero or empty means the same. Ours doesn't. */
	int64_t min; /* of numbers: inclusive bounds; of bytes: of their length */
	uint64_t max;
};

struct avd__kind {
	const char *name; /* NULL: not a kind */
	bool known; /* false: the number is reserved, readers skip it */
	uint8_t field_count;
	const struct avd__field *fields; /* by ascending key */
};

/* NULL if the number has no name. */
const struct avd__kind *avd__kind_find(uint32_t kind);

#endif
