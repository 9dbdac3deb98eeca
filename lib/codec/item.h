/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* One CBOR item at a time, through libcbor's streaming decoder. */
#ifndef AVD_LIB_CODEC_ITEM_H
#define AVD_LIB_CODEC_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/message.h"

enum avd__item_type {
	AVD__ITEM_UINT, /* value */
	AVD__ITEM_NEGINT, /* -1 - value */
	AVD__ITEM_BYTES, /* data[0..value) */
	AVD__ITEM_TEXT, /* data[0..value), UTF-8 or not */
	AVD__ITEM_ARRAY, /* value items follow */
	AVD__ITEM_MAP, /* value pairs follow */
	AVD__ITEM_TAG, /* one item follows */
	AVD__ITEM_INDEFINITE, /* the start of something without a length */
	AVD__ITEM_BREAK,
	AVD__ITEM_OTHER, /* a float or a simple value */
};

struct avd__item {
	enum avd__item_type type;
	uint64_t value;
	const uint8_t *data;
};

/* What is left to read. */
struct avd__cursor {
	const uint8_t *bytes;
	size_t size;
};

/* Takes the next item's head, and a string's bytes with it. MALFORMED: cut short, a
 * string or a container longer than what is left, a reserved initial byte, a stray
 * break. INVALID: of indefinite length, or a head that is not the shortest. What
 * *ret_item holds after a failure means nothing. */
enum avd__message_status avd__item_next(struct avd__cursor *cursor, struct avd__item *ret_item);

/* Skips the contents of `item`, which was just taken and is itself the `depth`th level
 * of nesting if it is a container. INVALID: deeper than AVD__MESSAGE_DEPTH_MAX. */
enum avd__message_status avd__item_skip(struct avd__cursor *cursor, const struct avd__item *item,
					unsigned int depth);

/* Takes a text: a UTF-8 text string, or any byte string. INVALID: anything else. */
enum avd__message_status avd__item_text(const struct avd__item *item, struct avd_str *ret_text);

/* Takes `count` texts. */
enum avd__message_status avd__item_texts(struct avd__cursor *cursor, uint64_t count);

/* RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool avd__utf8_valid(const char *text, size_t size);

#endif
