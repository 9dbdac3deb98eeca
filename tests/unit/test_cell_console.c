// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cell/console.h"
#include "run_suite.h"

static struct avd__console console;

/* Feeds `text` in pieces of `piece` bytes. */
static void feed(const char *text, size_t size, size_t piece)
{
	memset(&console, 0, sizeof(console));
	for (size_t at = 0; at < size; at += piece)
		avd__console_feed(&console, text + at, size - at < piece ? size - at : piece);
	avd__console_end(&console);
}

static void check_lines(const char *text, const char *panic, const char *oops)
{
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		feed(text, strlen(text), piece);
		ck_assert_str_eq(console.panic, panic);
		ck_assert_str_eq(console.oops, oops);
	}
}

START_TEST(finds_panics_and_oopses)
{
	check_lines(
		"[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n[ 2.0] x",
		"Kernel panic - not syncing: VFS: Unable to mount root fs", "");
	check_lines("Kernel panic - not syncing: no line end",
		    "Kernel panic - not syncing: no line end", "");
	check_lines("[    3.1][    T1] BUG: kernel NULL pointer dereference, address: 0\r\n"
		    "[    3.2] Oops: 0002 [#1] PREEMPT SMP\r\n",
		    "", "BUG: kernel NULL pointer dereference, address: 0");
	check_lines("[    3.2] Oops: int3: 0000 [#1] SMP\n", "", "Oops: int3: 0000 [#1] SMP");
	check_lines("[ 9.9] watchdog: BUG: soft lockup - CPU#0 stuck for 26s!\n", "",
		    "watchdog: BUG: soft lockup - CPU#0 stuck for 26s!");
	check_lines(
		"[ 1.0] Kernel panic - not syncing: first\n[ 1.1] Kernel panic - not syncing: 2\n",
		"Kernel panic - not syncing: first", "");
	check_lines("[ 1.0] BIOS bug: BUG: in the middle\nOops, something\n", "", "");
	check_lines("[", "", "");
	check_lines("[1.0", "", "");
	check_lines("\r\n\r\n", "", "");
}
END_TEST

START_TEST(hostile_lines)
{
	static char text[4 * AVD__CELL_CONSOLE_LINE];
	memset(text, 'x', sizeof(text)); /* one line that never ends */
	feed(text, sizeof(text), 7);
	ck_assert_str_eq(console.panic, "");
	static const char escapes[] = "Kernel panic - not syncing: \x1b[2J\0\x9b evil";
	feed(escapes, sizeof(escapes) - 1, sizeof(escapes) - 1);
	ck_assert_str_eq(console.panic, "Kernel panic - not syncing: \\x1b[2J\\x00\\x9b evil");
	memcpy(text, "Oops: ", 6); /* longer than is kept */
	memset(text + 6, '\x01', sizeof(text) - 6);
	feed(text, sizeof(text), 13);
	ck_assert_uint_lt(strlen(console.oops), sizeof(console.oops));
	ck_assert_uint_gt(strlen(console.oops), sizeof(console.oops) - 6);
	ck_assert_mem_eq(console.oops, "Oops: \\x01", 10);
}
END_TEST

START_TEST(tail_is_the_last_bytes_however_they_came)
{
	static const size_t sizes[] = {0,
				       1,
				       AVD__CELL_CONSOLE_TAIL - 1,
				       AVD__CELL_CONSOLE_TAIL,
				       AVD__CELL_CONSOLE_TAIL + 1,
				       3 * AVD__CELL_CONSOLE_TAIL + 77};
	static const size_t pieces[] = {1, 1000, AVD__CELL_CONSOLE_TAIL, 40000, 100000};
	static uint8_t all[3 * AVD__CELL_CONSOLE_TAIL + 77], tail[AVD__CELL_CONSOLE_TAIL];
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof(all); i++) {
		x = x * 1103515245 + 12345;
		all[i] = (uint8_t)(x >> 16);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			feed((const char *)all, sizes[i], pieces[j]);
			const size_t want = sizes[i] < sizeof(tail) ? sizes[i] : sizeof(tail);
			ck_assert_uint_eq(avd__console_tail(&console, tail), want);
			ck_assert_int_eq(memcmp(tail, all + sizes[i] - want, want), 0);
			ck_assert_uint_eq(console.total, sizes[i]);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cell-console");
	TCase *tc = tcase_create("console");
	tcase_add_test(tc, finds_panics_and_oopses);
	tcase_add_test(tc, hostile_lines);
	tcase_add_test(tc, tail_is_the_last_bytes_however_they_came);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
