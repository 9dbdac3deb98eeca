// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The recordings of a directory of results, whose index is not to be trusted. */
#include <attachverdict/report.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_suite.h"
#include "scratch_dir.h"
#include "sweep/store.h"
#include "verdict_kit.h"

static char text[1024];
static struct kit kit;

/* Results in ./r of one cell with a recording that its index calls `name`, and one without. */
static void make_results(const char *name)
{
	struct avd__table table = {.plan_digest = 42};
	struct avd__store store;
	struct avd__error error = {{0}};
	struct avd__row row = {
		.id = "k/s/1",
		.command = "attachverdict run",
		.name = {"s", "k", "1", ""},
		.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
	};
	const struct avd__came came = {.outcome = AVD_OUTCOME_ATTACHED,
				       .result = AVD_RESULT_PASSED,
				       .reason = "",
				       .result_reason = "",
				       .recording = name};
	ck_assert_int_eq(avd__table_add(&table, &row), 0);
	row.id = "k/s/2";
	ck_assert_int_eq(avd__table_add(&table, &row), 0);
	ck_assert_msg(avd__store_open("r", &table, &store, &error) == 0, "%s", error.text);
	ck_assert_msg(avd__store_add(&store, 0, &came, &error) == 0, "%s", error.text);
	avd__store_close(&store);
	avd__table_free(&table);
}

static avd_results *open_results(void)
{
	avd_results *results;
	ck_assert_msg(avd_results_open("r", &results, text, sizeof(text)) == 0, "%s", text);
	return results;
}

/* What reading the recording of cell `index` comes to; one line in `text` if it fails. */
static int read_recording(size_t index)
{
	avd_results *results = open_results();
	avd_stream *stream = (void *)&text;
	*text = '\0';
	const int r = avd_results_recording(results, index, &stream, text, sizeof(text));
	avd_results_free(results);
	if (r == 0) {
		avd_stream_free(stream);
		return 0;
	}
	ck_assert_ptr_eq(stream, (void *)&text); /* untouched */
	ck_assert_msg(*text && !strchr(text, '\n'), "'%s'", text);
	return r;
}

static int read_named(const char *name)
{
	make_results(name);
	const int r = read_recording(0);
	ck_assert_int_eq(system("rm -r r"), 0);
	return r;
}

START_TEST(gives_the_finished_stream)
{
	struct avd_verdict verdict;
	avd_stream *stream;
	kit_pass(&kit, AVD_STREAM_RECORDING);
	make_results("cells/a.avd");
	scratch_write("r/cells/a.avd", kit.bytes, kit.size);
	avd_results *results = open_results();
	ck_assert_int_eq(rename("r", "moved"), 0); /* still the same directory */
	ck_assert_msg(avd_results_recording(results, 0, &stream, text, sizeof(text)) == 0, "%s",
		      text);
	ck_assert_int_eq(avd_stream_verdict(stream, &verdict), 0);
	ck_assert_uint_eq(verdict.outcome, AVD_OUTCOME_ATTACHED);
	avd_stream_free(stream);
	avd_results_free(results);
}
END_TEST

START_TEST(a_cell_without_one_is_told)
{
	make_results("cells/a.avd");
	ck_assert_int_eq(read_recording(1), -ENOENT);
	ck_assert_msg(strstr(text, "k/s/2 has no recording"), "%s", text);
	ck_assert_int_eq(read_recording(0), -ENOENT); /* the file is gone */
	ck_assert_msg(strstr(text, "r/cells/a.avd"), "%s", text);
	ck_assert_int_eq(read_recording(2), -ERANGE);
	ck_assert_int_eq(read_recording(SIZE_MAX), -ERANGE);
}
END_TEST

START_TEST(names_that_lead_elsewhere_are_refused)
{
	static const char *const names[] = {
		"/etc/hostname", "../a.avd",	   "a.avd",
		"cells",	 "cells/",	   "cells/..",
		"cells/.hidden", "cells/../a.avd", "cells/x/../../a.avd",
		"cells//a.avd",	 "cellsXa.avd",	   "Cells/a.avd",
		"cells/x/a.avd",
	};
	char longest[NAME_MAX + 8];
	kit_pass(&kit, AVD_STREAM_RECORDING);
	scratch_write("a.avd", kit.bytes, kit.size);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(read_named(names[i]) == -EBADMSG, "%s: %s", names[i], text);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "cells/", 6);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(read_named(longest), -EBADMSG);
	longest[sizeof(longest) - 2] = '\0';
	ck_assert_int_eq(read_named(longest), -ENOENT);
	ck_assert_int_eq(read_named("cells/\x1b[31m\n\xff"), -ENOENT);
	ck_assert_msg(!strchr(text, '\x1b'), "%s", text);
}
END_TEST

START_TEST(links_are_not_followed)
{
	kit_pass(&kit, AVD_STREAM_RECORDING);
	scratch_write("a.avd", kit.bytes, kit.size);
	make_results("cells/a.avd");
	ck_assert_int_eq(symlink("../../a.avd", "r/cells/a.avd"), 0);
	ck_assert_int_eq(read_recording(0), -ELOOP);
	ck_assert_msg(strstr(text, "symbolic link"), "%s", text);
	ck_assert_int_eq(unlink("r/cells/a.avd"), 0);
	ck_assert_int_eq(rmdir("r/cells"), 0);
	ck_assert_int_eq(symlink("..", "r/cells"), 0);
	ck_assert_int_eq(read_recording(0), -ENOTDIR);
}
END_TEST

START_TEST(files_that_are_none_are_refused_at_once)
{
	make_results("cells/a.avd");
	ck_assert_int_eq(mkfifo("r/cells/a.avd", 0600), 0); /* nobody will ever write to it */
	ck_assert_int_eq(read_recording(0), -EBADMSG);
	ck_assert_int_eq(unlink("r/cells/a.avd"), 0);
	ck_assert_int_eq(mkdir("r/cells/a.avd", 0700), 0);
	ck_assert_int_eq(read_recording(0), -EISDIR);
	ck_assert_int_eq(rmdir("r/cells/a.avd"), 0);
	scratch_write("r/cells/a.avd", "hello", 5);
	ck_assert_int_eq(read_recording(0), -EBADMSG);
	scratch_write("r/cells/a.avd", "", 0);
	ck_assert_int_eq(read_recording(0), -EBADMSG);
}
END_TEST

static int open_descriptors(void)
{
	int count = 0;
	DIR *self = opendir("/proc/self/fd");
	while (readdir(self))
		count++;
	closedir(self);
	return count;
}

START_TEST(no_descriptor_is_left_or_inherited)
{
	make_results("cells/a.avd");
	scratch_write("r/cells/a.avd", "hello", 5);
	const int before = open_descriptors();
	avd_results *results = open_results();
	avd_stream *stream;
	ck_assert_int_eq(open_descriptors(), before + 1);
	for (int fd = 3; fd < 64; fd++) {
		char path[32], target[64] = "";
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, scratch_dir()))
			ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
	ck_assert_int_eq(avd_results_recording(results, 0, &stream, NULL, 0), -EBADMSG);
	ck_assert_int_eq(open_descriptors(), before + 1);
	avd_results_free(results);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("results-recording");
	TCase *tests = tcase_create("results-recording");
	tcase_add_checked_fixture(tests, scratch_enter, scratch_leave);
	tcase_add_test(tests, gives_the_finished_stream);
	tcase_add_test(tests, a_cell_without_one_is_told);
	tcase_add_test(tests, names_that_lead_elsewhere_are_refused);
	tcase_add_test(tests, links_are_not_followed);
	tcase_add_test(tests, files_that_are_none_are_refused_at_once);
	tcase_add_test(tests, no_descriptor_is_left_or_inherited);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
