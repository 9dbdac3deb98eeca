// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cpus.h"
#include "codec/frame.h"
#include "codec/item.h"
#include "codec_samples.h"
#include "run_suite.h"

static uint8_t bytes[AVD__FRAME_MAX];

START_TEST(every_kind_round_trips)
{
	struct avd_message got;
	unsigned int kinds = 0;
	for (uint32_t kind = 0; (kind = sample_next_kind(kind)); kinds++) {
		for (int sample = 0; sample < SAMPLE_COUNT; sample++) {
			const struct avd_message message =
				sample_message(kind, (enum sample)sample);
			const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
			ck_assert_msg(size, "%s", avd_message_kind_name(kind));
			memset(&got, 0x5a, sizeof(got));
			ck_assert_int_eq(avd__message_decode(bytes, size, &got), AVD__MESSAGE_OK);
			ck_assert_msg(sample_equal(&message, &got), "%s",
				      avd_message_kind_name(kind));
			/* what lies behind the largest kind is zero */
			for (size_t i = sizeof(got.u.cell); i < sizeof(got.u.reserved); i++)
				ck_assert_uint_eq(got.u.reserved[i], 0);
		}
	}
	ck_assert_uint_eq(kinds, 19);
}
END_TEST

START_TEST(message_struct_keeps_its_size)
{
	ck_assert_uint_eq(sizeof(struct avd_message), 16 + 512);
}
END_TEST

START_TEST(encoding_needs_its_room)
{
	for (uint32_t kind = 0; (kind = sample_next_kind(kind));) {
		const struct avd_message message = sample_message(kind, SAMPLE_TYPICAL);
		const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
		for (size_t room = 0; room < size; room++) {
			uint8_t *out = malloc(room ? room : 1); /* exact: writing beyond shows */
			ck_assert_ptr_nonnull(out);
			ck_assert_uint_eq(avd__message_encode(&message, out, room), 0);
			free(out);
		}
		uint8_t *out = malloc(size ? size : 1);
		ck_assert_ptr_nonnull(out);
		ck_assert_uint_gt(size, 0);
		ck_assert_uint_eq(avd__message_encode(&message, out, size), size);
		free(out);
	}
}
END_TEST

static void set_number(struct avd_message *message, const struct avd__field *field, uint64_t value)
{
	void *at = (char *)message + field->offset;
	const uint32_t narrow = (uint32_t)value;
	if (field->type == AVD__FIELD_U64 || field->type == AVD__FIELD_I64)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

/* What the decoder would refuse is not encoded either. */
START_TEST(out_of_range_is_not_encoded)
{
	unsigned int tried = 0;
	for (uint32_t number = 0; (number = sample_next_kind(number));) {
		const struct avd__kind *kind = avd__kind_find(number);
		for (size_t i = 0; i < kind->field_count; i++) {
			const struct avd__field *field = &kind->fields[i];
			struct avd_message message = sample_message(number, SAMPLE_TYPICAL);
			if (field->type > AVD__FIELD_I64)
				continue;
			if (field->type == AVD__FIELD_I32 || field->max < UINT32_MAX) {
				set_number(&message, field, field->max + 1);
				ck_assert_uint_eq(avd__message_encode(&message, bytes, 4096), 0);
				tried++;
			}
			if (field->type == AVD__FIELD_I32) {
				set_number(&message, field, (uint64_t)(field->min - 1));
				ck_assert_uint_eq(avd__message_encode(&message, bytes, 4096), 0);
				tried++;
			}
		}
	}
	ck_assert_uint_gt(tried, 10);
}
END_TEST

START_TEST(not_a_message_is_not_encoded)
{
	static const uint32_t kinds[] = {0, 18, 127, 130, UINT32_MAX};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct avd_message message = {.kind = kinds[i]};
		ck_assert_uint_eq(avd__message_encode(&message, bytes, sizeof(bytes)), 0);
	}
	struct avd_message hello = sample_message(AVD_MSG_HELLO, SAMPLE_TYPICAL);
	hello.u.hello.nonce.len--;
	ck_assert_uint_eq(avd__message_encode(&hello, bytes, sizeof(bytes)), 0);

	struct avd_message log = sample_message(AVD_MSG_LOG, SAMPLE_TYPICAL);
	static uint8_t large[AVD__FRAME_PAYLOAD_MAX];
	log.u.log.bytes = (struct avd_bytes){large, sizeof(large)};
	ck_assert_uint_eq(avd__message_frame(&log, 0, bytes, sizeof(bytes)), 0);
	log.u.log.bytes.len -= 32; /* room for the other fields */
	ck_assert_uint_gt(avd__message_frame(&log, 0, bytes, sizeof(bytes)), 0);

	struct avd_message cell = sample_message(AVD_MSG_CELL, SAMPLE_TYPICAL);
	cell.u.cell.scheduler.count++; /* more than there are */
	ck_assert_uint_eq(avd__message_encode(&cell, bytes, sizeof(bytes)), 0);
	cell.u.cell.scheduler.count -= 2; /* less */
	ck_assert_uint_eq(avd__message_encode(&cell, bytes, sizeof(bytes)), 0);
	cell.u.cell.scheduler = (struct avd_strv){{(const uint8_t *)"\x01", 1}, 1}; /* no text */
	ck_assert_uint_eq(avd__message_encode(&cell, bytes, sizeof(bytes)), 0);
}
END_TEST

/* Copies the encoded message without the pair of `key`. Returns the new size. */
static size_t without_key(const uint8_t *in, size_t size, uint64_t key, uint8_t *out)
{
	struct avd__cursor cursor = {in, size};
	struct avd__item map, item, value;
	size_t len = 0;
	ck_assert_int_eq(avd__item_next(&cursor, &map), AVD__MESSAGE_OK);
	if (map.value - 1 < 24) {
		out[len++] = (uint8_t)(0xa0 + map.value - 1);
	} else {
		out[len++] = 0xb8;
		out[len++] = (uint8_t)(map.value - 1);
	}
	while (cursor.size) {
		const uint8_t *start = cursor.bytes;
		ck_assert_int_eq(avd__item_next(&cursor, &item), AVD__MESSAGE_OK);
		ck_assert_int_eq(avd__item_next(&cursor, &value), AVD__MESSAGE_OK);
		ck_assert_int_eq(avd__item_skip(&cursor, &value, 2), AVD__MESSAGE_OK);
		if (item.value == key)
			continue;
		memcpy(out + len, start, (size_t)(cursor.bytes - start));
		len += (size_t)(cursor.bytes - start);
	}
	return len;
}

START_TEST(a_missing_field)
{
	static const struct avd_message zero;
	uint8_t less[4096];
	unsigned int needed = 0, optional = 0;
	for (uint32_t number = 0; (number = sample_next_kind(number));) {
		const struct avd__kind *kind = avd__kind_find(number);
		const struct avd_message message = sample_message(number, SAMPLE_TYPICAL);
		const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
		struct avd_message got;
		for (uint64_t key = 0; key < 2; key++)
			ck_assert_int_eq(avd__message_decode(
						 less, without_key(bytes, size, key, less), &got),
					 AVD__MESSAGE_INVALID);
		for (size_t i = 0; i < kind->field_count; i++) {
			const struct avd__field *field = &kind->fields[i];
			const size_t left = without_key(bytes, size, field->key, less);
			const enum avd__message_status status =
				avd__message_decode(less, left, &got);
			ck_assert_msg(status == (field->optional ? AVD__MESSAGE_OK
								 : AVD__MESSAGE_INVALID),
				      "%s without %s", kind->name, field->name);
			if (status == AVD__MESSAGE_OK)
				ck_assert_mem_eq((char *)&got + field->offset,
						 (const char *)&zero + field->offset, 4);
			*(field->optional ? &optional : &needed) += 1;
		}
	}
	ck_assert_uint_gt(needed, 40);
	ck_assert_uint_gt(optional, 10);
}
END_TEST

START_TEST(strv_round_trip)
{
	uint8_t items[64];
	size_t len = 0;
	uint32_t count = 0;
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, "/bin/true", 9), 0);
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, "\xff", 1), 0);
	ck_assert_int_eq(avd__strv_put(items, sizeof(items), &len, &count, NULL, 0), 0);
	ck_assert_uint_eq(count, 3);
	/* what does not fit changes nothing */
	const size_t before = len;
	ck_assert_int_eq(avd__strv_put(items, len + 2, &len, &count, "ab", 2), -1);
	ck_assert_int_eq(avd__strv_put(items, len, &len, &count, "", 0), -1);
	ck_assert_uint_eq(len, before);
	ck_assert_uint_eq(count, 3);

	struct avd_message message = sample_message(AVD_MSG_CELL, SAMPLE_TYPICAL), got;
	message.u.cell.scheduler = (struct avd_strv){{items, len}, count};
	const size_t size = avd__message_encode(&message, bytes, sizeof(bytes));
	ck_assert_int_eq(avd__message_decode(bytes, size, &got), AVD__MESSAGE_OK);
	struct avd_strv strv = got.u.cell.scheduler;
	struct avd_str item;
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_uint_eq(item.len, 9);
	ck_assert_mem_eq(item.data, "/bin/true", 9);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_uint_eq(item.len, 1);
	ck_assert_mem_eq(item.data, "\xff", 1);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_uint_eq(item.len, 0);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
}
END_TEST

/* One that did not come from the decoder ends early rather than running on. */
START_TEST(strv_that_lies)
{
	struct avd_str item;
	struct avd_strv strv = {{(const uint8_t *)"\x61\x61", 2}, UINT32_MAX};
	ck_assert_int_eq(avd_strv_next(&strv, &item), 1);
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
	strv = (struct avd_strv){{(const uint8_t *)"\x7b\xff\xff\xff\xff\xff\xff\xff\xff", 9}, 1};
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
	strv = (struct avd_strv){{(const uint8_t *)"\x01", 1}, 1};
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
	strv = (struct avd_strv){{NULL, 0}, 7};
	ck_assert_int_eq(avd_strv_next(&strv, &item), 0);
}
END_TEST

/* A table of CPUs cut at any byte yields its whole records and no more. */
START_TEST(cpu_tables)
{
	static const struct avd_topology_cpu cpus[] = {{0, 1, 2, 3, 4, 5},
						       {65535, 256, 255, 0x1234, 65534, 1}};
	uint8_t table[sizeof(cpus) / sizeof(cpus[0]) * AVD__CPU_RECORD_SIZE];
	struct avd_topology_cpu got;
	for (size_t i = 0; i < 2; i++)
		avd__cpus_put(table + i * AVD__CPU_RECORD_SIZE, &cpus[i]);
	for (size_t len = 0; len <= sizeof(table); len++) {
		uint8_t *copy = malloc(len + 1); /* for the sanitizer */
		memcpy(copy, table, len);
		struct avd_bytes left = {copy, len};
		for (size_t i = 0; i < len / AVD__CPU_RECORD_SIZE; i++) {
			ck_assert_int_eq(avd_topology_next(&left, &got), 1);
			ck_assert_mem_eq(&got, &cpus[i], sizeof(got));
		}
		ck_assert_int_eq(avd_topology_next(&left, &got), 0);
		ck_assert_uint_eq(left.len, len % AVD__CPU_RECORD_SIZE);
		free(copy);
	}
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(avd_message_kind_name(AVD_MSG_SCHEDULER_NOT_ATTACHED),
			 "scheduler-not-attached");
	ck_assert_str_eq(avd_message_kind_name(AVD_MSG_END_CAUSE), "end-cause");
	ck_assert_str_eq(avd_message_kind_name(AVD_MSG_PROGRAM), "program");
	ck_assert_str_eq(avd_message_kind_name(0), "unknown");
	ck_assert_str_eq(avd_message_kind_name(18), "unknown");
	ck_assert_str_eq(avd_message_kind_name(127), "unknown");
	ck_assert_str_eq(avd_message_kind_name(130), "unknown");
	ck_assert_str_eq(avd_message_kind_name(UINT32_MAX), "unknown");
	ck_assert_str_eq(avd_phase_name(AVD_PHASE_BOOT), "boot");
	ck_assert_str_eq(avd_phase_name(AVD_PHASE_TEARDOWN), "teardown");
	ck_assert_str_eq(avd_phase_name(0), "unknown");
	ck_assert_str_eq(avd_phase_name(7), "unknown");
	ck_assert_str_eq(avd_log_stream_name(AVD_STREAM_INIT), "init");
	ck_assert_str_eq(avd_log_stream_name(0), "unknown");
	ck_assert_str_eq(avd_log_stream_name(6), "sched-ext-dump");
	ck_assert_str_eq(avd_log_stream_name(7), "unknown");
	ck_assert_str_eq(avd_end_cause_name(AVD_END_GUEST_RESET), "guest-reset");
	ck_assert_str_eq(avd_end_cause_name(AVD_END_MACHINE_KILLED), "machine-killed");
	ck_assert_str_eq(avd_end_cause_name(AVD_END_UNKNOWN), "unknown");
	ck_assert_str_eq(avd_end_cause_name(9), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec-message");
	TCase *tcase = tcase_create("message");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120); /* valgrind is 30 times slower */
	tcase_add_test(tcase, every_kind_round_trips);
	tcase_add_test(tcase, message_struct_keeps_its_size);
	tcase_add_test(tcase, encoding_needs_its_room);
	tcase_add_test(tcase, out_of_range_is_not_encoded);
	tcase_add_test(tcase, not_a_message_is_not_encoded);
	tcase_add_test(tcase, a_missing_field);
	tcase_add_test(tcase, strv_round_trip);
	tcase_add_test(tcase, strv_that_lies);
	tcase_add_test(tcase, cpu_tables);
	tcase_add_test(tcase, names);
	return run_suite(suite);
}
