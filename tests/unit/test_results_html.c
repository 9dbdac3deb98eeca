// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The page's data: what may stand in a script, what a recording may say, what may fail. */
#include <attachverdict/report.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "base/util.h"
#include "report/html.h"
#include "report/json_writer.h"
#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"
#include "verdict_kit.h"

static char text[1024];
static struct kit kit;

/* The bytes as the page has them. */
static struct avd__buf in_script(const void *bytes, size_t size)
{
	struct avd__buf json_text = {0}, out = {0};
	struct avd__json json = {.out = &json_text, .empty = 1};
	avd__json_string(&json, NULL, bytes, size);
	avd__html_json(&out, json_text.data, json_text.len);
	ck_assert_int_eq(json_text.error, 0);
	ck_assert_int_eq(out.error, 0);
	avd__buf_free(&json_text);
	return out;
}

static void check_inert(const struct avd__buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		const unsigned char c = (unsigned char)out->data[i];
		ck_assert_msg(c >= 0x20 && c != 0x7f && c != '<' && c != '>' && c != '&',
			      "byte %zu of %s", i, out->data);
	}
	ck_assert_ptr_null(strstr(out->data, "\xe2\x80\xa8"));
	ck_assert_ptr_null(strstr(out->data, "\xe2\x80\xa9"));
}

START_TEST(no_byte_is_markup)
{
	uint64_t state = 5;
	uint8_t all[512];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	struct avd__buf out = in_script(all, sizeof(all));
	check_inert(&out);
	avd__buf_free(&out);
	for (int round = 0; round < 2000; round++) {
		/* Of what is near to what matters: pieces of U+2028, tags, escapes, NUL. */
		static const uint8_t near[] = "<>&!-/\\u\"s\xe2\x80\xa8\xa9\xc3\xff\r\n";
		for (size_t i = 0; i < 64; i++)
			all[i] = near[kit_random(&state) % sizeof(near)];
		out = in_script(all, 64);
		check_inert(&out);
		avd__buf_free(&out);
	}
}
END_TEST

START_TEST(escapes_are_those_of_json)
{
	static const char json[] = "[\"</script>&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\"]";
	struct avd__buf out = {0};
	avd__html_json(&out, json, sizeof(json) - 1);
	ck_assert_str_eq(out.data, "[\"\\u003c/script\\u003e\\u0026\\u2028\\u2029\xe2\x80\xaa\xe2"
				   "\x80\"]");
	out.len = 0;
	avd__html_json(&out, "\xe2\x80", 2); /* cut */
	ck_assert_str_eq(out.data, "\xe2\x80");
	avd__buf_free(&out);
}
END_TEST

/* Results in ./r of two cells with the recording that the kit has, and one without. */
static avd_results *make_results(void)
{
	struct avd__table table = {.plan_digest = 42};
	struct avd__store store;
	struct avd__error error = {{0}};
	struct avd_results *results;
	for (int i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof(id), "k/s/%d", i);
		const struct avd__row row = {.id = id,
					     .command = "attachverdict run",
					     .name = {"s", "k", "1", ""},
					     .expect = {.any_outcome = 1,
							.result = AVD_RESULT_PASSED}};
		ck_assert_int_eq(avd__table_add(&table, &row), 0);
	}
	ck_assert_msg(avd__store_open("r", &table, &store, &error) == 0, "%s", error.text);
	for (size_t i = 0; i < 2; i++) {
		char path[32];
		struct avd__came came;
		snprintf(path, sizeof(path), "r/cells/%zu.avd", i);
		scratch_write(path, kit.bytes, kit.size);
		ck_assert_int_eq(
			avd__store_judge(store.dir_fd, path + 2, NULL, &table, &came, &error), 0);
		ck_assert_int_eq(avd__table_set(&table, i, &came), 0);
	}
	ck_assert_int_eq(avd__store_write(&store, &table, &error), 0);
	avd__store_close(&store);
	avd__table_free(&table);
	ck_assert_msg(avd_results_open("r", &results, text, sizeof(text)) == 0, "%s", text);
	return results;
}

static char *page_of(const avd_results *results, const struct avd_print_options *options)
{
	char *page = NULL;
	size_t size = 0;
	ck_assert_int_eq(avd_results_print(results, AVD_FORMAT_HTML, options, &page, &size), 0);
	ck_assert_uint_eq(strlen(page), size);
	return page;
}

/* A cell that passes, one line of output longer. */
static void pass_otherwise(void)
{
	static const uint32_t kinds[] = {AVD_MSG_SCHEDULER_ATTACHED, AVD_MSG_PAYLOAD_STARTING,
					 AVD_MSG_DISPATCH, AVD_MSG_PAYLOAD_EXIT, AVD_MSG_DONE};
	kit_start(&kit, AVD_STREAM_RECORDING);
	kit_boot(&kit);
	kit_log(&kit, AVD_STREAM_SCHEDULER_STDOUT, "attached, this time too\n");
	for (size_t i = 0; i < AVD__ARRAY_SIZE(kinds); i++)
		kit_add(&kit, kinds[i]);
	kit_end(&kit, AVD_END_GUEST_RESET, AVD_REASON_NONE, "");
}

/* The same verdict, from other bytes: the index was not made from this file. */
START_TEST(a_recording_of_another_run_is_told)
{
	kit_pass(&kit, AVD_STREAM_RECORDING);
	avd_results *results = make_results();
	char *page = page_of(results, NULL);
	ck_assert_ptr_nonnull(strstr(page, "{\"contradicted\": {},\n\"unreadable\": {},\n"
					   "\"unchecked\": 0}"));
	avd_free(page);
	pass_otherwise();
	scratch_write("r/cells/1.avd", kit.bytes, kit.size);
	page = page_of(results, NULL);
	ck_assert_ptr_nonnull(strstr(page,
				     "{\"contradicted\": {\n\"1\": \"r/cells/1.avd: it is not "
				     "the recording that was judged, or was changed since: "));
	ck_assert_ptr_nonnull(strstr(page, "\"cells\": {\n\"0\": \"")); /* shown all the same */
	ck_assert_ptr_nonnull(strstr(page, ",\n\"1\": \"H4sI"));
	avd_free(page);
	avd_results_free(results);
}
END_TEST

START_TEST(options_are_checked)
{
	struct {
		struct avd_print_options options;
		uint64_t newer;
	} more = {.options = {.size = sizeof(more)}};
	struct avd_print_options options = AVD_OPTIONS_INIT(struct avd_print_options);
	char *page = text;
	size_t size;
	kit_pass(&kit, AVD_STREAM_RECORDING);
	avd_results *results = make_results();
	avd_free(page_of(results, &options));
	avd_free(page_of(results, &more.options));
	more.newer = 1;
	ck_assert_int_eq(avd_results_print(results, 0, &more.options, &page, &size), -E2BIG);
	options.flags = 1u << 31;
	ck_assert_int_eq(avd_results_print(results, 0, &options, &page, &size), -EINVAL);
	options = (struct avd_print_options){.size = 4};
	ck_assert_int_eq(avd_results_print(results, 0, &options, &page, &size), -EINVAL);
	ck_assert_int_eq(avd_results_print(results, UINT32_MAX, NULL, &page, &size), -EINVAL);
	ck_assert_ptr_eq(page, text); /* untouched */
	ck_assert_int_eq(avd_results_write(results, UINT32_MAX, NULL, "x", text, sizeof(text)),
			 -EINVAL);
	ck_assert_int_eq(avd_results_write(results, 0, NULL, "no/x", text, sizeof(text)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(text, "no/x"));
	ck_assert_int_eq(avd_results_write(results, 0, NULL, "", NULL, 0), -EISDIR);
	ck_assert_int_eq(access("x", F_OK), -1);
	avd_results_free(results);
}
END_TEST

START_TEST(the_limit_is_kept)
{
	struct avd_print_options options = AVD_OPTIONS_INIT(struct avd_print_options);
	kit_pass(&kit, AVD_STREAM_RECORDING);
	avd_results *results = make_results();
	options.details_limit = 1;
	char *page = page_of(results, &options);
	ck_assert_ptr_nonnull(strstr(page, "{\"cells\": {},\n\"left_out\": 2, "
					   "\"why\": \""));
	avd_free(page);
	options.details_limit = UINT64_MAX;
	page = page_of(results, &options);
	ck_assert_ptr_nonnull(strstr(page, "\"left_out\": 0, \"why\": null}"));
	avd_free(page);
	avd_results_free(results);
}
END_TEST

/* Whichever allocation fails: the whole page, or none. */
START_TEST(out_of_memory_makes_no_half_page)
{
	kit_pass(&kit, AVD_STREAM_RECORDING);
	avd_results *results = make_results();
	char *whole = page_of(results, NULL);
	unsigned int n = 0, failed = 0;
	int r;
	do {
		char *page = NULL;
		size_t size = 0;
		alloc_fail_at(++n);
		r = avd_results_print(results, AVD_FORMAT_HTML, NULL, &page, &size);
		const int happened = alloc_count() >= n;
		alloc_fail_at(0);
		ck_assert_msg(r == 0 || r == -ENOMEM, "allocation %u: %d", n, r);
		failed += r != 0;
		if (r == 0)
			ck_assert_str_eq(page, whole);
		avd_free(page);
		if (!happened)
			break;
	} while (n < 100000);
	ck_assert_uint_gt(failed, 50);
	ck_assert_uint_lt(n, 100000);
	ck_assert_int_eq(r, 0);
	avd_free(whole);
	avd_results_free(results);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("results-html");
	TCase *tests = tcase_create("results-html");
	tcase_add_checked_fixture(tests, scratch_enter, scratch_leave);
	tcase_add_test(tests, no_byte_is_markup);
	tcase_add_test(tests, escapes_are_those_of_json);
	tcase_add_test(tests, a_recording_of_another_run_is_told);
	tcase_add_test(tests, options_are_checked);
	tcase_add_test(tests, the_limit_is_kept);
	tcase_add_test(tests, out_of_memory_makes_no_half_page);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
