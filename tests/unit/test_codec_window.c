// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "codec/window.h"
#include "run_suite.h"

static uint8_t *memory;
static struct avd__window window;

static void set_up(void)
{
	memory = aligned_alloc(4096, AVD__WINDOW_SIZE);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, AVD__WINDOW_SIZE);
	ck_assert(!avd__window_check(memory));
	avd__window_format(&window, memory);
	ck_assert(avd__window_check(memory));
}

static void tear_down(void)
{
	free(memory);
}

START_TEST(bytes_come_out_in_order)
{
	char out[16];
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 0);
	ck_assert_uint_eq(avd__window_put(memory, "hello", 5), 5);
	ck_assert_uint_eq(avd__window_take(&window, out, 2), 2);
	ck_assert_mem_eq(out, "he", 2);
	ck_assert_uint_eq(avd__window_put(memory, "!", 1), 1);
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 4);
	ck_assert_mem_eq(out, "llo!", 4);
}
END_TEST

START_TEST(a_full_ring_takes_no_more)
{
	uint8_t *big = malloc(AVD__WINDOW_DATA_SIZE + 10);
	uint8_t *out = malloc(AVD__WINDOW_DATA_SIZE + 10);
	for (size_t i = 0; i < AVD__WINDOW_DATA_SIZE + 10; i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	/* Not from the start, so that it wraps. */
	ck_assert_uint_eq(avd__window_put(memory, big, 1000), 1000);
	ck_assert_uint_eq(avd__window_take(&window, out, 1000), 1000);
	ck_assert_uint_eq(avd__window_put(memory, big, AVD__WINDOW_DATA_SIZE + 10),
			  AVD__WINDOW_DATA_SIZE);
	ck_assert_uint_eq(avd__window_put(memory, big, 1), 0);
	ck_assert_uint_eq(avd__window_take(&window, out, AVD__WINDOW_DATA_SIZE + 10),
			  AVD__WINDOW_DATA_SIZE);
	ck_assert_mem_eq(out, big, AVD__WINDOW_DATA_SIZE);
	ck_assert_uint_eq(avd__window_put(memory, big, 1), 1);
	free(big);
	free(out);
}
END_TEST

/* Positions that a hostile guest might write: beyond the ring, behind what was taken, wrapped. */
static const uint64_t hostile[] = {
	AVD__WINDOW_DATA_SIZE + 101, 99, 0, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 32};

START_TEST(hostile_positions_break_the_window)
{
	struct avd__window_head *head = (void *)memory;
	uint8_t out[256] = {0};
	ck_assert_uint_eq(avd__window_put(memory, out, 100), 100);
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 100);
	atomic_store(&head->put, hostile[_i]);
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 1); /* none of the guest's */
	ck_assert_uint_eq(out[0], 0);
	ck_assert(window.broken);
	atomic_store(&head->put, 101); /* too late */
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 0);
}
END_TEST

START_TEST(the_guest_can_not_move_the_host)
{
	struct avd__window_head *head = (void *)memory;
	uint8_t out[256] = {0};
	ck_assert_uint_eq(avd__window_put(memory, "abc", 3), 3);
	atomic_store(&head->taken, UINT64_MAX / 3); /* the guest's to spoil, for itself alone */
	head->data_at = 0xffffffff;
	head->data_size = 0;
	head->magic = 0;
	ck_assert_uint_eq(avd__window_take(&window, out, sizeof(out)), 3);
	ck_assert_mem_eq(out, "abc", 3);
	ck_assert_uint_eq(atomic_load(&head->taken), 3);
}
END_TEST

#define STREAM_BYTES (32u << 20)

static void *guest_side(void *unused)
{
	uint8_t piece[777];
	(void)unused;
	for (uint32_t at = 0; at < STREAM_BYTES;) {
		size_t n = sizeof(piece) < STREAM_BYTES - at ? sizeof(piece) : STREAM_BYTES - at;
		for (size_t i = 0; i < n; i++)
			piece[i] = (uint8_t)((at + i) * 2654435761u >> 24);
		n = avd__window_put(memory, piece, n);
		if (!n)
			sched_yield();
		at += (uint32_t)n;
	}
	return NULL;
}

START_TEST(two_sides_at_once)
{
	pthread_t guest;
	static uint8_t out[65536];
	ck_assert_int_eq(pthread_create(&guest, NULL, guest_side, NULL), 0);
	for (uint32_t at = 0; at < STREAM_BYTES;) {
		const size_t n = avd__window_take(&window, out, sizeof(out));
		ck_assert(!window.broken);
		for (size_t i = 0; i < n; i++) {
			if (out[i] != (uint8_t)((at + i) * 2654435761u >> 24))
				ck_abort_msg("byte %zu is wrong", at + i);
		}
		if (!n)
			sched_yield();
		at += (uint32_t)n;
	}
	pthread_join(guest, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("window");
	TCase *tc = tcase_create("window");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, bytes_come_out_in_order);
	tcase_add_test(tc, a_full_ring_takes_no_more);
	tcase_add_loop_test(tc, hostile_positions_break_the_window, 0,
			    sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(tc, the_guest_can_not_move_the_host);
	tcase_add_test(tc, two_sides_at_once);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
