// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the guest's init makes of the BPF probe's ring and records, sound and hostile ones. */
#include <check.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "codec/message.h"
#include "program_message.h"
#include "ring.h"
#include "run_suite.h"

#define SIZE 4096u
#define BUSY (UINT32_C(1) << 31)
#define DISCARD (UINT32_C(1) << 30)

/* As the kernel maps it: the data stand twice in a row. */
static struct {
	uint64_t consumer, producer;
	uint8_t data[2 * SIZE];
} memory;

static struct avd__ring new_ring(void)
{
	memset(&memory, 0, sizeof(memory));
	return (struct avd__ring){.consumer = &memory.consumer,
				  .producer = &memory.producer,
				  .data = memory.data,
				  .size = SIZE};
}

static void store(uint64_t at, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const size_t where = (at + i) % SIZE;
		memory.data[where] = memory.data[where + SIZE] = ((const uint8_t *)bytes)[i];
	}
}

/* kernel/bpf/ringbuf.c: a head of length and page offset, the record, all a multiple of 8 */
static void put(uint32_t head, const void *record, size_t size)
{
	const uint32_t words[2] = {head, 0};
	store(memory.producer, words, sizeof(words));
	store(memory.producer + 8, record, size);
	memory.producer += ((uint64_t)(head & ~(BUSY | DISCARD)) + 8 + 7) / 8 * 8;
}

START_TEST(records_come_in_order)
{
	struct avd__ring ring = new_ring();
	static struct avd__program_record record, got; /* zero, their padding too */
	ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_EMPTY);
	for (unsigned int i = 0; i < 1000; i++) { /* some twenty times around */
		record.order = i;
		memset(record.name, 'a' + (int)(i % 26), sizeof(record.name));
		put(sizeof(record), &record, sizeof(record));
		memset(&got, 0, sizeof(got));
		ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_RECORD);
		ck_assert_int_eq(memcmp(&got, &record, sizeof(got)), 0);
		ck_assert_uint_eq(memory.consumer, memory.producer);
		ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_EMPTY);
	}
}
END_TEST

START_TEST(unfinished_and_discarded_records)
{
	struct avd__ring ring = new_ring();
	struct avd__program_record record = {.order = 7}, got = {0};
	const uint64_t first = memory.producer;
	put(sizeof(record) | BUSY, &record, sizeof(record));
	put(sizeof(record), &record, sizeof(record));
	ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_EMPTY);
	const uint32_t head[2] = {sizeof(record) | DISCARD, 0};
	store(first, head, sizeof(head));
	ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_OTHER);
	ck_assert_uint_eq(got.order, 0);
	ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_RECORD);
	ck_assert_uint_eq(got.order, 7);
}
END_TEST

/* Anybody with CAP_BPF may write records of any size, and move the consumer's position. */
START_TEST(foreign_records_are_passed_over)
{
	static const uint32_t sizes[] = {0,
					 1,
					 8,
					 sizeof(struct avd__program_record) - 1,
					 sizeof(struct avd__program_record) + 1,
					 SIZE - 8};
	static uint8_t bytes[SIZE];
	struct avd__program_record record = {.order = 9}, got;
	struct avd__ring ring = new_ring();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put(sizes[i], bytes, sizes[i]);
		memory.consumer = UINT64_MAX - i; /* not believed */
		ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_OTHER);
		ck_assert_uint_eq(memory.consumer, memory.producer);
		put(sizeof(record), &record, sizeof(record));
		ck_assert_int_eq(avd__ring_take(&ring, &got, sizeof(got)), AVD__RING_RECORD);
		ck_assert_uint_eq(got.order, 9);
	}
}
END_TEST

/* Whatever stands there: it ends, and reads nothing outside. */
START_TEST(any_bytes_are_read_to_an_end)
{
	srandom(4711);
	for (int round = 0; round < 2000; round++) {
		struct avd__ring ring = new_ring();
		struct avd__program_record got;
		for (uint32_t i = 0; i < SIZE; i += 4) {
			uint32_t word = (uint32_t)random() >> (random() % 32);
			if (random() % 8 == 0)
				word |= (uint32_t)random() << 30;
			store(i, &word, sizeof(word));
		}
		memory.producer = (uint64_t)(random() % 3000) * 8;
		ring.at = (uint64_t)(random() % 3000) * 8;
		unsigned int steps = 0;
		while (avd__ring_take(&ring, &got, sizeof(got)) != AVD__RING_EMPTY)
			ck_assert_uint_lt(steps++, SIZE);
	}
}
END_TEST

START_TEST(stages_say_what_is_known)
{
	struct avd__program_record record = {.stage = AVD__PROGRAM_LOADED,
					     .order = 3,
					     .type = 27,
					     .id = 40,
					     .verified_insns = 1,
					     .processed_insns = 2,
					     .total_states = 3,
					     .peak_states = 4,
					     .max_states_per_insn = 5,
					     .stack_depth = 6,
					     .xlated_bytes = 7,
					     .jited_bytes = 8,
					     .verification_ns = UINT64_MAX,
					     .name = "fifo_enqueue"};
	struct avd_message m;
	uint8_t bytes[512];
	ck_assert(avd__program_message(&record, &m));
	ck_assert_uint_eq(m.kind, AVD_MSG_PROGRAM);
	ck_assert_uint_eq(m.u.program.from_probe, 0x1fff);
	ck_assert_uint_eq(m.u.program.from_info, 0);
	ck_assert_uint_eq(m.u.program.name.len, 12);
	ck_assert_uint_eq(m.u.program.stack_depth, 6);
	ck_assert_uint_eq(m.u.program.jited_bytes, 8);
	ck_assert_uint_gt(avd__message_encode(&m, bytes, sizeof(bytes)), 0);

	record.stage = AVD__PROGRAM_REJECTED;
	record.error = 4095;
	ck_assert(avd__program_message(&record, &m));
	ck_assert_uint_eq(m.u.program.from_probe & AVD_PROGRAM_JITED_BYTES, 0);
	ck_assert_uint_ne(m.u.program.from_probe & AVD_PROGRAM_ERROR, 0);
	ck_assert_uint_eq(m.u.program.error, 4095);
	record.stage = AVD__PROGRAM_VERIFIED;
	record.error = 0;
	ck_assert(avd__program_message(&record, &m));
	ck_assert_uint_eq(m.u.program.from_probe & AVD_PROGRAM_ERROR, 0);
}
END_TEST

/* What can't be a record is none; what could be is a frame that can be sent, whatever the name. */
START_TEST(hostile_records)
{
	struct avd__program_record record = {.stage = AVD__PROGRAM_LOADED};
	struct avd_message m = {0}, back;
	uint8_t bytes[512];
	memset(record.name, 0xff, sizeof(record.name)); /* no NUL either */
	ck_assert(avd__program_message(&record, &m));
	ck_assert_uint_eq(m.u.program.name.len, AVD_PROGRAM_NAME_MAX);
	const size_t size = avd__message_encode(&m, bytes, sizeof(bytes));
	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(avd__message_decode(bytes, size, &back), AVD__MESSAGE_OK);
	ck_assert_mem_eq(back.u.program.name.data, record.name, AVD_PROGRAM_NAME_MAX);

	record.error = 4096;
	ck_assert(!avd__program_message(&record, &m));
	record.error = 0;
	for (unsigned int stage = 0; stage < 100; stage++) {
		record.stage = stage ? stage + 3 : 0;
		ck_assert(!avd__program_message(&record, &m));
	}
	record.stage = UINT32_MAX;
	ck_assert(!avd__program_message(&record, &m));
}
END_TEST

START_TEST(info_of_the_kernel)
{
	const struct bpf_prog_info info = {.type = 27,
					   .id = 41,
					   .jited_prog_len = 300,
					   .xlated_prog_len = 200,
					   .verified_insns = 100,
					   .name = "fifteen_letters"};
	struct avd_message m;
	uint8_t bytes[512];
	avd__program_info_message(&info, 5, &m);
	ck_assert_uint_eq(m.u.program.from_probe, 0);
	ck_assert_uint_eq(m.u.program.from_info & AVD_PROGRAM_PROCESSED_INSNS, 0);
	ck_assert_uint_ne(m.u.program.from_info & AVD_PROGRAM_VERIFIED_INSNS, 0);
	ck_assert_uint_eq(m.u.program.order, 5);
	ck_assert_uint_eq(m.u.program.prog_id, 41);
	ck_assert_uint_eq(m.u.program.verified_insns, 100);
	ck_assert_uint_eq(m.u.program.name.len, 15);
	ck_assert_uint_gt(avd__message_encode(&m, bytes, sizeof(bytes)), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-programs");
	TCase *tc = tcase_create("ring");
	tcase_add_test(tc, records_come_in_order);
	tcase_add_test(tc, unfinished_and_discarded_records);
	tcase_add_test(tc, foreign_records_are_passed_over);
	tcase_add_test(tc, any_bytes_are_read_to_an_end);
	suite_add_tcase(suite, tc);
	tc = tcase_create("messages");
	tcase_add_test(tc, stages_say_what_is_known);
	tcase_add_test(tc, hostile_records);
	tcase_add_test(tc, info_of_the_kernel);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
