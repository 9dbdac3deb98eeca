// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Makes a directory of results that no machine ran, for tests of what reads them:
 * make-results DIR CELLS [FROM TO]. Cells FROM to TO (all) have a result; every seventh is not
 * as expected, with a reason full of characters that formats take for their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/store.h"

#define KERNELS 10u

static const char *const hostile =
	"</testcase><script>alert(1)</script> & \"quoted\" 'single' \\x1b[31m # TODO "
	"| `code` \xef\xbf\xbf \xf0\x9f\x90\xa7 %n ]]> --- ... not ok";

static int add_row(struct avd__table *table, size_t i)
{
	char id[128], scheduler[32], kernel[32];
	snprintf(scheduler, sizeof(scheduler), "sched-%05zu", i / KERNELS);
	snprintf(kernel, sizeof(kernel), "7.%zu", i % KERNELS);
	snprintf(id, sizeof(id), "%s/%s/2", kernel, scheduler);
	const struct avd__row row = {
		.id = id,
		.command = "attachverdict run --scheduler './it & co' -- '<x>'",
		.name = {[AVD__AXIS_SCHEDULER] = scheduler,
			 [AVD__AXIS_KERNEL] = kernel,
			 [AVD__AXIS_TOPOLOGY] = "2",
			 [AVD__AXIS_PAYLOAD] = ""},
		.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
		.cpus = 2,
		.digest = i + 1,
	};
	return avd__table_add(table, &row);
}

static struct avd__came came_of(size_t i)
{
	const int passed = i % 7 != 3;
	return (struct avd__came){
		.outcome = passed ? AVD_OUTCOME_ATTACHED : AVD_OUTCOME_DIED,
		.reason_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.result = passed ? AVD_RESULT_PASSED : AVD_RESULT_FAILED,
		.result_code = passed ? AVD_REASON_NONE : AVD_REASON_EXITED,
		.reason = passed ? "" : hostile,
		.result_reason = passed ? "" : hostile,
		.recording = "", /* none was made */
		.wall_ns = UINT64_C(3000000000) + i,
	};
}

static int fail(const char *what, const struct avd__error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct avd__table table = {.plan_digest = 4711};
	struct avd__store store;
	struct avd__error error = {0};
	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: %s DIR CELLS [FROM TO]\n", argv[0]);
		return 2;
	}
	const size_t cells = strtoul(argv[2], NULL, 10);
	const size_t from = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	const size_t to = argc == 5 ? strtoul(argv[4], NULL, 10) : cells;
	for (size_t i = 0; i < cells; i++) {
		if (add_row(&table, i) < 0)
			return fail("a row", &error);
	}
	if (avd__store_open(argv[1], &table, &store, &error) < 0)
		return fail(argv[1], &error);
	for (size_t i = from; i < to && i < cells; i++) {
		const struct avd__came came = came_of(i);
		if (avd__table_set(&table, i, &came) < 0)
			return fail("a result", &error);
	}
	if (avd__store_write(&store, &table, &error) < 0)
		return fail(argv[1], &error);
	avd__store_close(&store);
	avd__table_free(&table);
	return EXIT_SUCCESS;
}
