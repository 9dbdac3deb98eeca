// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The least that embeds libattachverdict: one cell, run to its verdict.
 *
 *     cc embed_run.c $(pkg-config --cflags --libs libattachverdict) -o embed_run
 *     ./embed_run KERNEL SCHEDULER [ARGUMENT...]
 *
 * Exit status: 0 passed, 1 failed with a verdict, 2 usage, 3 could not be tried.
 */
#include <attachverdict/attachverdict.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s KERNEL SCHEDULER [ARGUMENT...]\n", argv[0]);
		return 2;
	}

	struct avd_cell_options options = AVD_OPTIONS_INIT(struct avd_cell_options);
	options.kernel = argv[1];
	options.scheduler = (const char *const *)&argv[2];
	options.scheduler_count = (size_t)(argc - 2);

	char error[512];
	avd_cell *cell;
	if (avd_cell_new(&options, &cell, error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
		return 2;
	}
	if (avd_cell_run(cell) < 0) { /* blocks: some seconds, under emulation more */
		fprintf(stderr, "%s\n", avd_cell_error(cell));
		avd_cell_free(cell);
		return 3;
	}

	struct avd_verdict verdict;
	char line[2048];
	int status = 1;
	if (avd_stream_verdict(avd_cell_stream(cell), &verdict) == 0) {
		avd_verdict_print(&verdict, line, sizeof(line));
		puts(line);
		status = verdict.result == AVD_RESULT_PASSED ? 0 : 1;
	}
	avd_cell_free(cell);
	return status;
}
