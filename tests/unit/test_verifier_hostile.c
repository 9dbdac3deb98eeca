// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Texts that no kernel prints: bytes of any kind, lines and logs beyond the limits, no memory. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "run_suite.h"
#include "verifier_kit.h"

#define BEGIN(name) "libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n"
#define END "-- END PROG LOAD LOG --\n"
#define WALK "0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n"
#define LAST "processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"

START_TEST(hostile_bytes)
{
	/* A name of 15 bytes 0xff, one with quotes and a line's worth of escapes, NULs. */
	static const char text[] =
		BEGIN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") WALK
		"\x1b[2Jhello\0there\x07 'x'\r\n" LAST END
		"libbpf: prog '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff': "
		"failed to load: -13\n" BEGIN("it's: \x1b[31m") WALK LAST END;
	avd_verifier *verifier = kit_feed(NULL, text, sizeof(text) - 1, 5);
	ck_assert_uint_eq(avd_verifier_program_count(verifier), 2);
	struct avd_program p = kit_program(verifier, 0);
	ck_assert_uint_eq(p.name.len, 60);
	ck_assert_int_eq(strncmp(p.name.data, "\\xff\\xff", 8), 0);
	ck_assert_int_eq(p.error, EACCES);
	ck_assert_str_eq(p.message.data, "\\x1b[2Jhello\\x00there\\x07 'x'");
	p = kit_program(verifier, 1);
	ck_assert_str_eq(p.name.data, "it's: \\x1b[31m");
	char *all = kit_all(verifier);
	for (const char *c = all; *c; c++)
		ck_assert((unsigned char)*c >= ' ' || *c == '\n');
	free(all);
	avd_verifier_free(verifier);
}
END_TEST

START_TEST(a_line_of_10_megabytes)
{
	const size_t size = (size_t)10 << 20;
	static const char head[] = BEGIN("a") WALK "R1=", tail[] = "\n" LAST END;
	struct kit_text text = {0}, raw = {0};
	char *filler = malloc(size);
	ck_assert_ptr_nonnull(filler);
	memset(filler, 'x', size);
	kit_put(&text, head, sizeof(head) - 1);
	kit_put(&text, filler, size);
	kit_put(&text, tail, sizeof(tail) - 1);
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	options.on_raw = kit_put;
	options.userdata = &raw;
	avd_verifier *verifier = kit_feed(&options, text.data, text.size, 65536);
	const struct avd_program p = kit_program(verifier, 0);
	ck_assert_uint_eq(p.log_lines, 4);
	ck_assert_uint_gt(p.log_bytes, size);
	ck_assert_uint_eq(p.verdict, AVD_PROGRAM_FAILURE); /* words that nobody knows */
	char *collapsed = kit_collapsed(verifier, 0);
	ck_assert_uint_lt(strlen(collapsed), 20000);
	ck_assert_ptr_nonnull(strstr(collapsed, " bytes more)"));
	ck_assert_uint_eq(raw.size, text.size); /* all of it */
	ck_assert_int_eq(memcmp(raw.data, text.data, text.size), 0);
	free(collapsed);
	free(filler);
	free(text.data);
	free(raw.data);
	avd_verifier_free(verifier);
}
END_TEST

START_TEST(limits)
{
	/* More programs than are kept, more text than is kept. */
	struct kit_text text = {0};
	for (int i = 0; i < 4100; i++)
		kit_printf(&text, BEGIN("p%d") WALK LAST END, i);
	avd_verifier *verifier = kit_feed(NULL, text.data, text.size, 0);
	ck_assert_uint_eq(avd_verifier_program_count(verifier), 4096);
	ck_assert_uint_eq(avd_verifier_programs_lost(verifier), 4);
	avd_verifier_free(verifier);
	free(text.data);

	text = (struct kit_text){0};
	kit_printf(&text, BEGIN("a") WALK);
	for (int i = 0; i < 2000; i++)
		kit_printf(&text, "%d: (b7) r0 = %d\n", i, i * i);
	kit_printf(&text, "R9 !read_ok\n" LAST END);
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	options.keep_limit = 4096;
	verifier = kit_feed(&options, text.data, text.size, 0);
	const struct avd_program p = kit_program(verifier, 0);
	ck_assert_uint_eq(p.flags, AVD_PROGRAM_HAS_LOG | AVD_PROGRAM_ELIDED);
	ck_assert_uint_lt(p.collapsed_lines, 500);
	char *collapsed = kit_collapsed(verifier, 0);
	ck_assert_ptr_nonnull(strstr(collapsed, " are left out here"));
	/* The end of a refused program stays, whatever else goes. */
	ck_assert_ptr_nonnull(strstr(collapsed, "\n1999: (b7) r0 = 3996001\nR9 !read_ok\n"));
	ck_assert_ptr_nonnull(strstr(collapsed, "\n1970: (b7) "));
	free(collapsed);
	free(text.data);
	avd_verifier_free(verifier);
}
END_TEST

/* Reads and prints all; what failed first. */
static int run_short_of_memory(const char *text, size_t size, unsigned int nth)
{
	avd_verifier *verifier = NULL;
	struct avd_verifier_options options = AVD_OPTIONS_INIT(struct avd_verifier_options);
	const struct avd_message frame = {
		.kind = AVD_MSG_PROGRAM,
		.u.program = {.name = {(const uint8_t *)"sample_running", 14}, .error = EACCES}};
	alloc_fail_at(nth);
	int r = avd_verifier_new(&options, &verifier);
	if (r == 0)
		r = avd_verifier_feed_message(verifier, &frame);
	for (size_t at = 0; r == 0 && at < size; at += 1000)
		r = avd_verifier_feed(verifier, text + at, size - at < 1000 ? size - at : 1000);
	if (r == 0)
		r = avd_verifier_finish(verifier);
	alloc_fail_at(0);
	if (r < 0 && verifier) /* once something is lost, every call says so */
		ck_assert_int_eq(avd_verifier_finish(verifier), -ENOMEM);
	avd_verifier_free(verifier);
	return r;
}

START_TEST(every_allocation_fails_in_turn)
{
	size_t size;
	char *text = kit_log("bounds-6.16", &size);
	alloc_fail_at(0);
	ck_assert_int_eq(run_short_of_memory(text, size, 100000), 0);
	unsigned int nth = 1;
	while (run_short_of_memory(text, size, nth) == -ENOMEM)
		nth++;
	ck_assert_uint_gt(nth, 20);
	ck_assert_int_eq(run_short_of_memory(text, size, nth), 0);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verifier-hostile");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 240);
	tcase_add_test(all, hostile_bytes);
	tcase_add_test(all, a_line_of_10_megabytes);
	tcase_add_test(all, limits);
	tcase_add_test(all, every_allocation_fails_in_turn);
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
