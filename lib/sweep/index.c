// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/index.h"

#include <cbor.h>
#include <errno.h>
#include <string.h>

#include "codec/frame.h"
#include "codec/item.h"

enum kind { HEADER = 1, CELL = 2, CAME = 3 };

/* Keys of the maps; 0 is the kind in each. Numbers are fixed once released. */
enum header_key {
	HEADER_VERSION = 1,
	HEADER_DIGEST,
	HEADER_CELLS,
	HEADER_LIBRARY,
	HEADER_CAME, /* how many cells came to something */
};
enum cell_key {
	CELL_ID = 1,
	CELL_NAMES, /* 2 to 5: one an axis */
	CELL_COMMAND = CELL_NAMES + AVD__AXIS_COUNT,
	CELL_EXPECT,
	CELL_CPUS,
	CELL_DIGEST,
};
enum came_key {
	CAME_INDEX = 1,
	CAME_OUTCOME,
	CAME_REASON_CODE,
	CAME_RESULT,
	CAME_RESULT_CODE,
	CAME_END_CAUSE,
	CAME_REASON,
	CAME_RESULT_REASON,
	CAME_RECORDING,
	CAME_RECORDING_BYTES,
	CAME_RECORDING_CRC,
	CAME_WALL_NS,
	CAME_CPU_NS,
	CAME_ENDED_NS,
};
#define KEYS_MAX 24u

/* A head of CBOR is at most nine bytes. */
static void put_head(struct avd__buf *buf, size_t (*encode)(uint64_t, unsigned char *, size_t),
		     uint64_t value)
{
	unsigned char head[9];
	avd__buf_append(buf, head, encode(value, head, sizeof(head)));
}

static size_t encode_text(uint64_t value, unsigned char *out, size_t size)
{
	return cbor_encode_string_start((size_t)value, out, size);
}

static size_t encode_map(uint64_t value, unsigned char *out, size_t size)
{
	return cbor_encode_map_start((size_t)value, out, size);
}

static void put_uint(struct avd__buf *buf, uint64_t key, uint64_t value)
{
	put_head(buf, cbor_encode_uint, key);
	put_head(buf, cbor_encode_uint, value);
}

static void put_text(struct avd__buf *buf, uint64_t key, const char *text)
{
	const size_t len = strlen(text);
	put_head(buf, cbor_encode_uint, key);
	put_head(buf, encode_text, len);
	avd__buf_append(buf, text, len);
}

/* Leaves room for the frame's head; returns where it starts. */
static size_t begin(struct avd__index_out *out, enum kind kind, size_t pairs)
{
	static const char head[AVD__FRAME_HEAD_SIZE];
	const size_t start = out->buf.len;
	avd__buf_append(&out->buf, head, sizeof(head));
	put_head(&out->buf, encode_map, pairs + 1);
	put_uint(&out->buf, 0, kind);
	return start;
}

static void end(struct avd__index_out *out, size_t start)
{
	if (out->buf.error)
		return;
	if (!avd__frame_seal((uint8_t *)out->buf.data + start, out->seq++,
			     out->buf.len - start - AVD__FRAME_HEAD_SIZE))
		out->buf.error = -E2BIG;
}

void avd__index_header(struct avd__index_out *out, const struct avd__table *table)
{
	uint64_t came = 0;
	for (size_t i = 0; i < table->count; i++)
		came += table->rows[i].ran;
	const size_t start = begin(out, HEADER, HEADER_CAME);
	put_uint(&out->buf, HEADER_VERSION, AVD__INDEX_VERSION);
	put_uint(&out->buf, HEADER_DIGEST, table->plan_digest);
	put_uint(&out->buf, HEADER_CELLS, table->count);
	put_text(&out->buf, HEADER_LIBRARY, avd_version());
	put_uint(&out->buf, HEADER_CAME, came);
	end(out, start);
}

void avd__index_cell(struct avd__index_out *out, const struct avd__row *row)
{
	char expect[64];
	const size_t start = begin(out, CELL, CELL_DIGEST);
	put_text(&out->buf, CELL_ID, row->id);
	for (unsigned int axis = 0; axis < AVD__AXIS_COUNT; axis++)
		put_text(&out->buf, CELL_NAMES + axis, row->name[axis]);
	put_text(&out->buf, CELL_COMMAND, row->command);
	avd_expectation_print(&row->expect, expect, sizeof(expect));
	put_text(&out->buf, CELL_EXPECT, expect);
	put_uint(&out->buf, CELL_CPUS, row->cpus);
	put_uint(&out->buf, CELL_DIGEST, row->digest);
	end(out, start);
}

void avd__index_came(struct avd__index_out *out, size_t index, const struct avd__came *came)
{
	const size_t start = begin(out, CAME, CAME_ENDED_NS);
	put_uint(&out->buf, CAME_INDEX, index);
	put_uint(&out->buf, CAME_OUTCOME, came->outcome);
	put_uint(&out->buf, CAME_REASON_CODE, came->reason_code);
	put_uint(&out->buf, CAME_RESULT, came->result);
	put_uint(&out->buf, CAME_RESULT_CODE, came->result_code);
	put_uint(&out->buf, CAME_END_CAUSE, came->end_cause);
	put_text(&out->buf, CAME_REASON, came->reason);
	put_text(&out->buf, CAME_RESULT_REASON, came->result_reason);
	put_text(&out->buf, CAME_RECORDING, came->recording);
	put_uint(&out->buf, CAME_RECORDING_BYTES, came->recording_bytes);
	put_uint(&out->buf, CAME_RECORDING_CRC, came->recording_crc);
	put_uint(&out->buf, CAME_WALL_NS, came->wall_ns);
	put_uint(&out->buf, CAME_CPU_NS, came->machine_cpu_ns);
	put_uint(&out->buf, CAME_ENDED_NS, came->ended_unix_ns);
	end(out, start);
}

/* A map's values by their keys; those that are missing are the integer 0 or the text "". */
struct entry {
	uint64_t kind;
	struct avd__item value[KEYS_MAX];
	bool has[KEYS_MAX];
};

static int read_entry(const struct avd__frame *frame, struct entry *entry)
{
	struct avd__cursor cursor = {frame->payload, frame->payload_size};
	struct avd__item map, key, value;
	*entry = (struct entry){0};
	if (avd__item_next(&cursor, &map) || map.type != AVD__ITEM_MAP)
		return -EBADMSG;
	for (uint64_t i = 0; i < map.value; i++) {
		if (avd__item_next(&cursor, &key) || key.type != AVD__ITEM_UINT ||
		    avd__item_next(&cursor, &value) || avd__item_skip(&cursor, &value, 2))
			return -EBADMSG;
		if (key.value < KEYS_MAX) { /* others are a newer library's */
			entry->value[key.value] = value;
			entry->has[key.value] = true;
		}
	}
	if (!entry->has[0] || entry->value[0].type != AVD__ITEM_UINT)
		return -EBADMSG;
	entry->kind = entry->value[0].value;
	return 0;
}

static uint64_t number(const struct entry *entry, unsigned int key)
{
	return entry->has[key] && entry->value[key].type == AVD__ITEM_UINT ? entry->value[key].value
									   : 0;
}

static uint32_t small(const struct entry *entry, unsigned int key)
{
	const uint64_t value = number(entry, key);
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* Copied into the table, with its end. NULL: out of memory. */
static const char *exact(struct avd__table *table, const struct entry *entry, unsigned int key)
{
	const struct avd__item *item = &entry->value[key];
	if (!entry->has[key] || item->type != AVD__ITEM_TEXT)
		return "";
	return avd__table_text(table, (const char *)item->data, (size_t)item->value);
}

/* The same, fit to be shown: an index comes from other machines, and all formats stand on texts
 * that are sound UTF-8 without control characters. */
static const char *text(struct avd__table *table, const struct entry *entry, unsigned int key)
{
	const struct avd__item *item = &entry->value[key];
	const bool is_text = entry->has[key] && item->type == AVD__ITEM_TEXT;
	size_t plain = 0;
	while (is_text && plain < item->value && item->data[plain] >= 0x20 &&
	       item->data[plain] < 0x7f)
		plain++;
	if (!is_text || plain == item->value)
		return exact(table, entry, key);
	struct avd__buf buf = {0};
	avd__buf_escape(&buf, item->data, (size_t)item->value);
	const char *copy = buf.error ? NULL : avd__table_text(table, buf.data, buf.len);
	avd__buf_free(&buf);
	return copy;
}

static int read_cell(struct avd__table *table, const struct entry *entry, struct avd__error *error)
{
	struct avd__row row = {
		.id = text(table, entry, CELL_ID),
		.command = text(table, entry, CELL_COMMAND),
		.cpus = small(entry, CELL_CPUS),
		.digest = number(entry, CELL_DIGEST),
	};
	const char *expect = text(table, entry, CELL_EXPECT);
	bool complete = row.id && row.command && expect;
	for (unsigned int axis = 0; axis < AVD__AXIS_COUNT; axis++) {
		row.name[axis] = text(table, entry, CELL_NAMES + axis);
		complete = complete && row.name[axis];
	}
	if (!complete)
		return -ENOMEM;
	if (!*row.id || avd__expectation_parse(expect, &row.expect, error) < 0)
		return -EBADMSG;
	return avd__table_add(table, &row);
}

static bool is_no_result(uint32_t code)
{
	return code == AVD_REASON_NOT_RUN || code == AVD_REASON_LOST;
}

/* What struct avd_verdict promises. Above all, ATTACHED and PASSED are only what says so in full: a
 * code or a reason beside it is a contradiction. What nobody saw is UNCONFIRMED, and both codes say
 * why. */
static bool is_consistent(const struct avd__came *came)
{
	const bool attached = came->outcome == AVD_OUTCOME_ATTACHED;
	const bool passed = came->result == AVD_RESULT_PASSED;
	if ((is_no_result(came->reason_code) || is_no_result(came->result_code)) &&
	    (came->outcome != AVD_OUTCOME_UNCONFIRMED || came->reason_code != came->result_code))
		return false;
	return came->outcome <= AVD_OUTCOME_NOT_ATTACHED && came->result <= AVD_RESULT_PASSED &&
	       (attached || !passed) && attached == (came->reason_code == AVD_REASON_NONE) &&
	       attached == !*came->reason && passed == (came->result_code == AVD_REASON_NONE) &&
	       passed == !*came->result_reason;
}

static int read_came(struct avd__table *table, const struct entry *entry)
{
	const uint64_t index = number(entry, CAME_INDEX);
	const struct avd__came came = {
		.outcome = small(entry, CAME_OUTCOME),
		.reason_code = small(entry, CAME_REASON_CODE),
		.result = small(entry, CAME_RESULT),
		.result_code = small(entry, CAME_RESULT_CODE),
		.end_cause = small(entry, CAME_END_CAUSE),
		.reason = text(table, entry, CAME_REASON),
		.result_reason = text(table, entry, CAME_RESULT_REASON),
		.recording = exact(table, entry, CAME_RECORDING), /* a file's name */
		.recording_bytes = number(entry, CAME_RECORDING_BYTES),
		.recording_crc = small(entry, CAME_RECORDING_CRC),
		.wall_ns = number(entry, CAME_WALL_NS),
		.machine_cpu_ns = number(entry, CAME_CPU_NS),
		.ended_unix_ns = number(entry, CAME_ENDED_NS),
	};
	if (!came.reason || !came.result_reason || !came.recording)
		return -ENOMEM;
	if (index >= table->count || !entry->has[CAME_OUTCOME] || !is_consistent(&came))
		return -EBADMSG;
	return avd__table_set(table, (size_t)index, &came);
}

/* Reads the header; *ret_cells: of the plan; *ret_came: of these came to something. */
static int read_header(const struct avd__frame *frame, uint64_t *ret_digest, uint64_t *ret_cells,
		       uint64_t *ret_came)
{
	struct entry entry;
	if (read_entry(frame, &entry) < 0 || entry.kind != HEADER)
		return -EBADMSG;
	if (number(&entry, HEADER_VERSION) != AVD__INDEX_VERSION)
		return -ENOTSUP;
	*ret_digest = number(&entry, HEADER_DIGEST);
	*ret_cells = number(&entry, HEADER_CELLS);
	*ret_came = number(&entry, HEADER_CAME);
	return 0;
}

static int bad(const char *path, size_t at, int r, struct avd__error *error)
{
	if (r == -ENOMEM)
		return avd__fail(error, ENOMEM, "out of memory");
	if (r == -ENOTSUP)
		return avd__fail(error, ENOTSUP, "%s: written by a newer attachverdict", path);
	return avd__fail(error, EBADMSG,
			 "%s: damaged at byte %zu; the recordings are sound for "
			 "themselves: run the sweep again into this directory",
			 path, at);
}

int avd__index_read(struct avd__table *table, const uint8_t *bytes, size_t size, const char *path,
		    struct avd__error *error)
{
	struct avd__frame frame;
	uint64_t cells = 0, expected = 0, came = 0;
	size_t at = 0;
	int r = 0;
	*table = (struct avd__table){0};
	for (uint32_t seq = 0; at < size || !seq; seq++) {
		struct entry entry;
		if (avd__frame_decode(bytes + at, size - at, &frame) != AVD__FRAME_OK ||
		    frame.seq != seq)
			r = -EBADMSG;
		else if (!seq)
			r = read_header(&frame, &table->plan_digest, &cells, &expected);
		else if ((r = read_entry(&frame, &entry)) == 0 && entry.kind == CELL)
			r = read_cell(table, &entry, error);
		else if (r == 0 && entry.kind == CAME)
			r = (came++, read_came(table, &entry));
		if (r < 0)
			break;
		at += frame.size;
	}
	if (r == 0 && (table->count != cells || came != expected)) /* the end is missing */
		r = -EBADMSG;
	if (r == 0)
		return 0;
	avd__table_free(table);
	return bad(path, at, r, error);
}

int avd__journal_read(struct avd__table *table, const uint8_t *bytes, size_t size,
		      uint64_t *ret_torn, struct avd__error *error)
{
	struct avd__frame frame;
	uint64_t digest = 0, cells, came;
	uint32_t seq = 0;
	size_t at = 0;
	int r = 0;
	for (; at < size; seq++) {
		struct entry entry;
		if (avd__frame_decode(bytes + at, size - at, &frame) != AVD__FRAME_OK ||
		    frame.seq != seq)
			break;
		if (!seq)
			r = read_header(&frame, &digest, &cells, &came);
		else if ((r = read_entry(&frame, &entry)) == 0 && entry.kind == CAME)
			r = read_came(table, &entry);
		if (r < 0)
			break;
		if (digest != table->plan_digest)
			return avd__fail(error, ESTALE, "the journal is of another plan");
		at += frame.size;
	}
	if (r == -ENOMEM)
		return avd__fail(error, ENOMEM, "out of memory");
	*ret_torn = size - at;
	return 0;
}
