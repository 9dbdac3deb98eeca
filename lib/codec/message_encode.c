// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <cbor.h>
#include <string.h>

#include "codec/fields.h"
#include "codec/frame.h"
#include "codec/item.h"
#include "codec/message.h"

/* Where the next byte goes. libcbor's encoders return 0 for "does not fit", so one
 * failure is remembered here and the rest does nothing. */
struct out {
	uint8_t *bytes;
	size_t size;
	size_t len;
	bool failed;
};

static void put(struct out *out, size_t written)
{
	if (!written)
		out->failed = true;
	out->len += written;
}

#define PUT(out, encode, value)                                                                  \
	do {                                                                                     \
		if (!(out)->failed)                                                              \
			put(out,                                                                 \
			    encode(value, (out)->bytes + (out)->len, (out)->size - (out)->len)); \
	} while (0)

static void put_raw(struct out *out, const void *bytes, size_t size)
{
	if (out->failed || size > out->size - out->len) {
		out->failed = true;
	} else if (size) {
		memcpy(out->bytes + out->len, bytes, size);
		out->len += size;
	}
}

/* A text string must be UTF-8, or the frame would not be valid CBOR for others; what
 * is not (a path, a name from the kernel) travels as a byte string, unchanged. */
static void put_text(struct out *out, const char *text, size_t size)
{
	if (avd__utf8_valid(text, size))
		PUT(out, cbor_encode_string_start, size);
	else
		PUT(out, cbor_encode_bytestring_start, size);
	put_raw(out, text, size);
}

static void put_number(struct out *out, const struct avd__field *field, const void *in)
{
	uint64_t bits = 0;
	bool negative = false;
	if (field->type == AVD__FIELD_U32 || field->type == AVD__FIELD_I32) {
		uint32_t narrow;
		memcpy(&narrow, in, sizeof(narrow));
		bits = field->type == AVD__FIELD_I32 ? (uint64_t)(int64_t)(int32_t)narrow : narrow;
	} else {
		memcpy(&bits, in, sizeof(bits));
	}
	if (field->type == AVD__FIELD_I32 || field->type == AVD__FIELD_I64)
		negative = (int64_t)bits < 0;
	if (negative ? (int64_t)bits < field->min
		     : bits > field->max || (field->min > 0 && bits < (uint64_t)field->min)) {
		out->failed = true;
		return;
	}
	if (negative)
		PUT(out, cbor_encode_negint, ~bits); /* -1 - n */
	else
		PUT(out, cbor_encode_uint, bits);
}

static void put_strv(struct out *out, const struct avd_strv *strv)
{
	struct avd__cursor cursor = {strv->cbor.data, strv->cbor.len};
	if (avd__item_texts(&cursor, strv->count) || cursor.size) {
		out->failed = true;
		return;
	}
	PUT(out, cbor_encode_array_start, strv->count);
	put_raw(out, strv->cbor.data, strv->cbor.len);
}

static void put_field(struct out *out, const struct avd__field *field,
		      const struct avd_message *message)
{
	const void *in = (const char *)message + field->offset;
	const struct avd_bytes *bytes = in;
	const struct avd_str *text = in;
	PUT(out, cbor_encode_uint, field->key);
	switch ((enum avd__field_type)field->type) {
	case AVD__FIELD_U32:
	case AVD__FIELD_U64:
	case AVD__FIELD_I32:
	case AVD__FIELD_I64:
		put_number(out, field, in);
		break;
	case AVD__FIELD_TEXT:
		put_text(out, text->data, text->len);
		break;
	case AVD__FIELD_BYTES:
		if (bytes->len < (uint64_t)field->min || bytes->len > field->max)
			out->failed = true;
		PUT(out, cbor_encode_bytestring_start, bytes->len);
		put_raw(out, bytes->data, bytes->len);
		break;
	case AVD__FIELD_STRV:
		put_strv(out, in);
		break;
	}
}

size_t avd__message_encode(const struct avd_message *message, uint8_t *bytes, size_t size)
{
	struct out out = {.bytes = bytes, .size = size};
	const struct avd__kind *kind = avd__kind_find(message->kind);
	if (!kind || !kind->known)
		return 0;
	PUT(&out, cbor_encode_map_start, AVD__KEY_FIRST + kind->field_count);
	PUT(&out, cbor_encode_uint, AVD__KEY_KIND);
	PUT(&out, cbor_encode_uint, message->kind);
	PUT(&out, cbor_encode_uint, AVD__KEY_TIME);
	PUT(&out, cbor_encode_uint, message->time_ns);
	for (size_t i = 0; i < kind->field_count; i++)
		put_field(&out, &kind->fields[i], message);
	return out.failed ? 0 : out.len;
}

size_t avd__message_frame(const struct avd_message *message, uint32_t seq, uint8_t *bytes,
			  size_t size)
{
	if (size < AVD__FRAME_HEAD_SIZE)
		return 0;
	const size_t payload = avd__message_encode(message, bytes + AVD__FRAME_HEAD_SIZE,
						   size - AVD__FRAME_HEAD_SIZE);
	return payload ? avd__frame_seal(bytes, seq, payload) : 0;
}

int avd__strv_put(uint8_t *bytes, size_t size, size_t *len, uint32_t *count, const char *text,
		  size_t text_len)
{
	struct out out = {.bytes = bytes, .size = size, .len = *len};
	put_text(&out, text, text_len);
	if (out.failed || *count == UINT32_MAX)
		return -1;
	*len = out.len;
	*count += 1;
	return 0;
}
