// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell_kit.h"
#include "run_suite.h"

#include <attachverdict/attachverdict.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char dir[64], path[96];
avd_cell *cell;
struct avd_cell_options options;
struct avd_verdict verdict;
int fds_before;

int count_entries(const char *name)
{
	int count = 0;
	DIR *d = opendir(name);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.' || (e->d_name[1] && e->d_name[1] != '.');
	closedir(d);
	return count;
}

void setup(void)
{
	fake_reset();
	options = fake_options();
	cell = NULL;
	snprintf(dir, sizeof(dir), "%s", "/tmp/avd-cell-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/cell.avd", dir);
	fds_before = count_entries("/proc/self/fd");
}

void teardown(void)
{
	avd_cell_free(cell);
	ck_assert_int_eq(count_entries("/proc/self/fd"), fds_before);
	ck_assert_int_eq(fake.starts, fake.frees);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

void make(void)
{
	cell = fake_cell(&options);
	ck_assert_ptr_nonnull(cell);
}

void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

size_t read_file(const char *name, uint8_t *out, size_t size)
{
	FILE *f = fopen(name, "r");
	ck_assert_ptr_nonnull(f);
	const size_t n = fread(out, 1, size, f);
	fclose(f);
	ck_assert_uint_lt(n, size);
	return n;
}

/* What the recording says must be what the live cell said. */
static void check_replay(void)
{
	static uint8_t bytes[1 << 20];
	const size_t size = read_file(path, bytes, sizeof(bytes));
	static const size_t slices[] = {1, 7, 4096, sizeof(bytes)};
	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		const struct avd_stream_options so = {.size = sizeof(so),
						      .flags = AVD_STREAM_RECORDING};
		avd_stream *stream;
		struct avd_verdict replayed;
		ck_assert_int_eq(avd_stream_new(&so, &stream), 0);
		for (size_t at = 0; at < size; at += slices[i])
			ck_assert_int_eq(avd_stream_feed(stream, bytes + at,
							 size - at < slices[i] ? size - at
									       : slices[i]),
					 0);
		ck_assert_int_eq(avd_stream_finish(stream), 0);
		ck_assert_int_eq(avd_stream_verdict(stream, &replayed), 0);
		avd_stream_free(stream);
		ck_assert_int_eq(avd_verdict_equal(&verdict, &replayed), 1);
	}
}

void run(uint32_t outcome, uint32_t code)
{
	options.record_path = path;
	if (!cell)
		make();
	const int r = avd_cell_run(cell);
	ck_assert_msg(r == 0, "%d: %s", r, avd_cell_error(cell));
	ck_assert_uint_eq(avd_cell_state(cell), AVD_CELL_ENDED);
	ck_assert_int_eq(avd_stream_verdict(avd_cell_stream(cell), &verdict), 0);
	ck_assert_msg(verdict.outcome == outcome && verdict.reason_code == code, "%s (%s): %s",
		      avd_outcome_name(verdict.outcome), avd_reason_code_name(verdict.reason_code),
		      verdict.reason);
	if (access(path, F_OK) == 0)
		check_replay();
}

int run_case(const char *name, TCase *tc)
{
	Suite *suite = suite_create(name);
	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
