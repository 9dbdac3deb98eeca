// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Writes the sample recordings and their JSON reports into a directory, for tests of other
 * languages: NAME.avd and NAME.json. */
#include <attachverdict/report.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "report_samples.h"

static int write_file(const char *dir, const char *name, const char *suffix, const void *bytes,
		      size_t size)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	FILE *file = fopen(path, "we");
	if (!file) {
		perror(path);
		return -1;
	}
	const size_t n = fwrite(bytes, 1, size, file);
	if (fclose(file) != 0 || n != size) {
		perror(path);
		return -1;
	}
	return 0;
}

static int write_sample(const char *dir, const struct report_sample *sample)
{
	static struct kit kit;
	char *json;
	size_t size;
	sample->build(&kit);
	avd_stream *stream = kit_stream(AVD_STREAM_RECORDING, NULL, NULL);
	if (avd_stream_feed(stream, kit.bytes, kit.size) < 0 || avd_stream_finish(stream) < 0 ||
	    avd_report_json(stream, 0, &json, &size) < 0) {
		fprintf(stderr, "%s: no report\n", sample->name);
		return -1;
	}
	int r = write_file(dir, sample->name, "avd", kit.bytes, kit.size);
	if (r == 0)
		r = write_file(dir, sample->name, "json", json, size);
	avd_free(json);
	avd_stream_free(stream);
	return r;
}

static const char *directory;

/* The kit asserts, so it has to be used inside a test. */
START_TEST(write_all)
{
	for (size_t i = 0; i < REPORT_SAMPLE_COUNT; i++)
		ck_assert_int_eq(write_sample(directory, &report_samples[i]), 0);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: report-write DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	Suite *suite = suite_create("report-write");
	TCase *tc = tcase_create("write");
	tcase_add_test(tc, write_all);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_MINIMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
