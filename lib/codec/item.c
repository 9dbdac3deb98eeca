// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/item.h"

#include <cbor.h>
#include <string.h>

static void take(void *context, enum avd__item_type type, uint64_t value)
{
	struct avd__item *item = context;
	item->type = type;
	item->value = value;
	item->data = NULL;
}

static void take_string(void *context, enum avd__item_type type, const uint8_t *data, uint64_t size)
{
	struct avd__item *item = context;
	item->type = type;
	item->value = size;
	item->data = data;
}

#define TAKE_NUMBER(name, c_type, item_type)               \
	static void name(void *context, c_type value)      \
	{                                                  \
		take(context, item_type, (uint64_t)value); \
	}
TAKE_NUMBER(take_uint8, uint8_t, AVD__ITEM_UINT)
TAKE_NUMBER(take_uint16, uint16_t, AVD__ITEM_UINT)
TAKE_NUMBER(take_uint32, uint32_t, AVD__ITEM_UINT)
TAKE_NUMBER(take_uint64, uint64_t, AVD__ITEM_UINT)
TAKE_NUMBER(take_negint8, uint8_t, AVD__ITEM_NEGINT)
TAKE_NUMBER(take_negint16, uint16_t, AVD__ITEM_NEGINT)
TAKE_NUMBER(take_negint32, uint32_t, AVD__ITEM_NEGINT)
TAKE_NUMBER(take_negint64, uint64_t, AVD__ITEM_NEGINT)
TAKE_NUMBER(take_array, uint64_t, AVD__ITEM_ARRAY)
TAKE_NUMBER(take_map, uint64_t, AVD__ITEM_MAP)
TAKE_NUMBER(take_tag, uint64_t, AVD__ITEM_TAG)

static void take_bytes(void *context, cbor_data data, uint64_t size)
{
	take_string(context, AVD__ITEM_BYTES, data, size);
}

static void take_text(void *context, cbor_data data, uint64_t size)
{
	take_string(context, AVD__ITEM_TEXT, data, size);
}

static void take_indefinite(void *context)
{
	take(context, AVD__ITEM_INDEFINITE, 0);
}

static void take_break(void *context)
{
	take(context, AVD__ITEM_BREAK, 0);
}

static void take_simple(void *context)
{
	take(context, AVD__ITEM_OTHER, 0);
}

static void take_bool(void *context, bool value)
{
	take(context, AVD__ITEM_OTHER, value);
}

static void take_float(void *context, float value)
{
	(void)value; /* no message has one; those of unknown keys are skipped */
	take(context, AVD__ITEM_OTHER, 0);
}

static void take_double(void *context, double value)
{
	(void)value;
	take(context, AVD__ITEM_OTHER, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = take_uint8,
	.uint16 = take_uint16,
	.uint32 = take_uint32,
	.uint64 = take_uint64,
	.negint64 = take_negint64,
	.negint32 = take_negint32,
	.negint16 = take_negint16,
	.negint8 = take_negint8,
	.byte_string_start = take_indefinite,
	.byte_string = take_bytes,
	.string = take_text,
	.string_start = take_indefinite,
	.indef_array_start = take_indefinite,
	.array_start = take_array,
	.indef_map_start = take_indefinite,
	.map_start = take_map,
	.tag = take_tag,
	.float2 = take_float,
	.float4 = take_float,
	.float8 = take_double,
	.undefined = take_simple,
	.null = take_simple,
	.boolean = take_bool,
	.indef_break = take_break,
};

/* RFC 8949 section 4.2.1: the head is no longer than its argument needs. */
static bool is_shortest(uint8_t initial, const struct avd__item *item)
{
	/* the smallest argument for one, two, four and eight bytes after the initial one */
	static const uint64_t least[] = {24, UINT8_MAX + 1, UINT16_MAX + 1,
					 (uint64_t)UINT32_MAX + 1};
	const unsigned int info = initial & 0x1fu;
	if (info < 24 || item->type == AVD__ITEM_OTHER) /* a float's bytes are its value */
		return true;
	return item->value >= least[info & 3];
}

enum avd__message_status avd__item_next(struct avd__cursor *cursor, struct avd__item *ret_item)
{
	const uint8_t *bytes = cursor->bytes;
	const struct cbor_decoder_result result =
		cbor_stream_decode(bytes, cursor->size, &callbacks, ret_item);
	/* NEDATA is malformed too: all bytes of the message are here. */
	if (result.status != CBOR_DECODER_FINISHED || ret_item->type == AVD__ITEM_BREAK)
		return AVD__MESSAGE_MALFORMED;
	if (ret_item->type == AVD__ITEM_INDEFINITE || !is_shortest(bytes[0], ret_item))
		return AVD__MESSAGE_INVALID;
	cursor->bytes = bytes + result.read;
	cursor->size -= result.read;
	/* Each item takes a byte at least, so this bounds all loops over items. */
	if ((ret_item->type == AVD__ITEM_ARRAY && ret_item->value > cursor->size) ||
	    (ret_item->type == AVD__ITEM_MAP && ret_item->value > cursor->size / 2))
		return AVD__MESSAGE_MALFORMED;
	return AVD__MESSAGE_OK;
}

/* How many items stand directly inside. */
static uint64_t children(const struct avd__item *item)
{
	switch (item->type) {
	case AVD__ITEM_ARRAY:
		return item->value;
	case AVD__ITEM_MAP:
		return 2 * item->value;
	case AVD__ITEM_TAG:
		return 1;
	default:
		return 0;
	}
}

static bool is_container(const struct avd__item *item)
{
	return item->type == AVD__ITEM_ARRAY || item->type == AVD__ITEM_MAP ||
	       item->type == AVD__ITEM_TAG;
}

enum avd__message_status avd__item_skip(struct avd__cursor *cursor, const struct avd__item *item,
					unsigned int depth)
{
	uint64_t left[AVD__MESSAGE_DEPTH_MAX + 1] = {0};
	const unsigned int base = depth - 1;
	unsigned int at = base;
	struct avd__item next = *item;
	for (;;) {
		if (is_container(&next)) {
			if (at >= AVD__MESSAGE_DEPTH_MAX)
				return AVD__MESSAGE_INVALID;
			left[++at] = children(&next);
		}
		while (at > base && !left[at])
			at--;
		if (at == base)
			return AVD__MESSAGE_OK;
		left[at]--;
		const enum avd__message_status status = avd__item_next(cursor, &next);
		if (status)
			return status;
	}
}

enum avd__message_status avd__item_text(const struct avd__item *item, struct avd_str *ret_text)
{
	const char *text = (const char *)item->data;
	if (item->type != AVD__ITEM_BYTES && item->type != AVD__ITEM_TEXT)
		return AVD__MESSAGE_INVALID;
	if (item->type == AVD__ITEM_TEXT && !avd__utf8_valid(text, item->value))
		return AVD__MESSAGE_INVALID;
	*ret_text = (struct avd_str){text, item->value};
	return AVD__MESSAGE_OK;
}

enum avd__message_status avd__item_texts(struct avd__cursor *cursor, uint64_t count)
{
	for (; count; count--) {
		struct avd__item item;
		struct avd_str text;
		enum avd__message_status status = avd__item_next(cursor, &item);
		if (!status)
			status = avd__item_text(&item, &text);
		if (status)
			return status;
	}
	return AVD__MESSAGE_OK;
}

int avd_strv_next(struct avd_strv *strv, struct avd_str *ret_item)
{
	struct avd__cursor cursor = {strv->cbor.data, strv->cbor.len};
	struct avd__item item;
	if (!strv->count || !cursor.size || avd__item_next(&cursor, &item) ||
	    avd__item_text(&item, ret_item))
		return 0;
	strv->cbor = (struct avd_bytes){cursor.bytes, cursor.size};
	strv->count--;
	return 1;
}
