// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "codec/fields.h"
#include "codec/item.h"
#include "codec/message.h"

static enum avd__message_status take_number(const struct avd__item *item,
					    const struct avd__field *field, void *out)
{
	int64_t number;
	if (item->type == AVD__ITEM_UINT) {
		/* min is above zero for no field that may exceed INT64_MAX. */
		if (item->value > field->max ||
		    (field->min > 0 && item->value < (uint64_t)field->min))
			return AVD__MESSAGE_INVALID;
		number = (int64_t)item->value; /* the bits; a u64 takes them back below */
	} else if (item->type == AVD__ITEM_NEGINT && item->value <= INT64_MAX) {
		number = -1 - (int64_t)item->value;
		if (number < field->min)
			return AVD__MESSAGE_INVALID;
	} else {
		return AVD__MESSAGE_INVALID;
	}
	if (field->type == AVD__FIELD_U64 || field->type == AVD__FIELD_I64) {
		memcpy(out, &number, sizeof(number));
	} else {
		const uint32_t narrow = (uint32_t)number;
		memcpy(out, &narrow, sizeof(narrow));
	}
	return AVD__MESSAGE_OK;
}

static enum avd__message_status take_strv(struct avd__cursor *cursor, const struct avd__item *item,
					  struct avd_strv *out)
{
	if (item->type != AVD__ITEM_ARRAY || item->value > UINT32_MAX)
		return AVD__MESSAGE_INVALID;
	const uint8_t *start = cursor->bytes;
	const enum avd__message_status status = avd__item_texts(cursor, item->value);
	if (status)
		return status;
	out->cbor = (struct avd_bytes){start, (size_t)(cursor->bytes - start)};
	out->count = (uint32_t)item->value;
	return AVD__MESSAGE_OK;
}

static enum avd__message_status take_field(struct avd__cursor *cursor, const struct avd__item *item,
					   const struct avd__field *field,
					   struct avd_message *message)
{
	void *out = (char *)message + field->offset;
	switch ((enum avd__field_type)field->type) {
	case AVD__FIELD_U32:
	case AVD__FIELD_U64:
	case AVD__FIELD_I32:
	case AVD__FIELD_I64:
		return take_number(item, field, out);
	case AVD__FIELD_TEXT:
		return avd__item_text(item, out);
	case AVD__FIELD_BYTES:
		if (item->type != AVD__ITEM_BYTES || item->value < (uint64_t)field->min ||
		    item->value > field->max)
			return AVD__MESSAGE_INVALID;
		*(struct avd_bytes *)out = (struct avd_bytes){item->data, item->value};
		return AVD__MESSAGE_OK;
	case AVD__FIELD_STRV:
		return take_strv(cursor, item, out);
	}
	return AVD__MESSAGE_INVALID;
}

/* Where the walk over the map's pairs is. */
struct walk {
	struct avd__cursor cursor;
	uint64_t pairs; /* left */
	uint64_t last_key;
	bool started;
};

/* Takes a key and its value's head. */
static enum avd__message_status next_pair(struct walk *walk, uint64_t *ret_key,
					  struct avd__item *ret_value)
{
	struct avd__item key;
	enum avd__message_status status = avd__item_next(&walk->cursor, &key);
	if (status)
		return status;
	/* Ascending: so no key comes twice, and nothing must be remembered to know it. */
	if (key.type != AVD__ITEM_UINT || (walk->started && key.value <= walk->last_key))
		return AVD__MESSAGE_INVALID;
	walk->last_key = key.value;
	walk->started = true;
	walk->pairs--;
	*ret_key = key.value;
	return avd__item_next(&walk->cursor, ret_value);
}

/* The map's head, the kind and the time: the first two pairs, since keys ascend. */
static enum avd__message_status take_start(struct walk *walk, struct avd_message *message)
{
	struct avd__item map, kind, time;
	uint64_t key;
	enum avd__message_status status = avd__item_next(&walk->cursor, &map);
	if (status)
		return status;
	if (map.type != AVD__ITEM_MAP || map.value < 2)
		return AVD__MESSAGE_INVALID;
	walk->pairs = map.value;
	status = next_pair(walk, &key, &kind);
	if (status)
		return status;
	if (key != AVD__KEY_KIND || kind.type != AVD__ITEM_UINT || kind.value == 0 ||
	    kind.value > UINT32_MAX)
		return AVD__MESSAGE_INVALID;
	status = next_pair(walk, &key, &time);
	if (status)
		return status;
	if (key != AVD__KEY_TIME || time.type != AVD__ITEM_UINT)
		return AVD__MESSAGE_INVALID;
	message->kind = (uint32_t)kind.value;
	message->time_ns = time.value;
	return AVD__MESSAGE_OK;
}

/* Both the map's pairs and the `count` fields ascend by key: one pass over both. */
static enum avd__message_status take_fields(struct walk *walk, const struct avd__field *fields,
					    size_t count, struct avd_message *message)
{
	size_t at = 0;
	while (walk->pairs) {
		struct avd__item value;
		uint64_t key;
		enum avd__message_status status = next_pair(walk, &key, &value);
		if (status)
			return status;
		for (; at < count && fields[at].key < key; at++) {
			if (!fields[at].optional)
				return AVD__MESSAGE_INVALID;
		}
		if (at < count && fields[at].key == key)
			status = take_field(&walk->cursor, &value, &fields[at++], message);
		else /* from the future; the map around it is the first level */
			status = avd__item_skip(&walk->cursor, &value, 2);
		if (status)
			return status;
	}
	for (; at < count; at++) {
		if (!fields[at].optional)
			return AVD__MESSAGE_INVALID;
	}
	return walk->cursor.size ? AVD__MESSAGE_MALFORMED : AVD__MESSAGE_OK;
}

enum avd__message_status avd__message_decode(const uint8_t *bytes, size_t size,
					     struct avd_message *ret_message)
{
	struct walk walk = {.cursor = {bytes, size}};
	struct avd_message message = {0};
	enum avd__message_status status = take_start(&walk, &message);
	if (status)
		return status;
	const struct avd__kind *kind = avd__kind_find(message.kind);
	const bool known = kind && kind->known;
	status = take_fields(&walk, known ? kind->fields : NULL, known ? kind->field_count : 0,
			     &message);
	if (status)
		return status;
	*ret_message = message;
	return known ? AVD__MESSAGE_OK : AVD__MESSAGE_UNKNOWN_KIND;
}
