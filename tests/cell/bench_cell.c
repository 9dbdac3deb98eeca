// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Where the time of a cell goes: from avd_cell_start() to the verdict, on a real kernel.
 *
 *     bench-cell SCHEDULER [ARGUMENT...]      AVD_BENCH_ROUNDS=N: rounds [5]
 *
 * The first round finds the cache as it is, so the median is that of a warm one.
 */
#include <attachverdict/attachverdict.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "real_kernel.h"

#define ROUNDS 5
#define ROUNDS_MAX 100

enum mark { PREPARED, FIRST_FRAME, STARTED, ATTACHED, DONE, ENDED, MARKS };

static const char *const names[MARKS] = {
	"prepare (kernel, initramfs, start of the machine)",
	"boot (to the first frame)",
	"to the scheduler's start",
	"to the attach",
	"to done (dispatch, teardown)",
	"to the machine's end and the verdict",
};

static double marks[ROUNDS_MAX][MARKS], start_time;
static unsigned int rounds;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_event(void *userdata, const struct avd_event *event)
{
	double *mark = userdata;
	if (!event->message || event->seq >= AVD_HOST_SEQ_BASE)
		return;
	switch (event->message->kind) {
	case AVD_MSG_HELLO:
		mark[FIRST_FRAME] = now() - start_time;
		break;
	case AVD_MSG_SCHEDULER_STARTED:
		mark[STARTED] = now() - start_time;
		break;
	case AVD_MSG_SCHEDULER_ATTACHED:
		mark[ATTACHED] = now() - start_time;
		break;
	case AVD_MSG_DONE:
		mark[DONE] = now() - start_time;
		break;
	default:
		break;
	}
}

/* One cell; 0 if it passed. */
static int run_round(struct avd_cell_options *options, double *mark)
{
	char error[512];
	avd_cell *cell;
	struct avd_verdict verdict = {0};
	options->userdata = mark;
	start_time = now();
	if (avd_cell_new(options, &cell, error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	int r = avd_cell_start(cell);
	mark[PREPARED] = now() - start_time;
	if (r == 0)
		r = avd_cell_run(cell);
	mark[ENDED] = now() - start_time;
	if (r < 0)
		fprintf(stderr, "%s\n", avd_cell_error(cell));
	else
		avd_stream_verdict(avd_cell_stream(cell), &verdict);
	if (r == 0 && verdict.result != AVD_RESULT_PASSED)
		fprintf(stderr, "%s: %s\n", avd_outcome_name(verdict.outcome),
			verdict.result_reason);
	avd_cell_free(cell);
	return verdict.result == AVD_RESULT_PASSED ? 0 : -1;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_line(const char *name, double (*of)(const double *, int), int index)
{
	double values[ROUNDS_MAX];
	for (unsigned int i = 0; i < rounds; i++)
		values[i] = of(marks[i], index);
	qsort(values, rounds, sizeof(values[0]), by_value);
	printf("%-52s %8.3f %8.3f %8.3f\n", name, values[0], values[rounds / 2],
	       values[rounds - 1]);
}

static double phase(const double *mark, int index)
{
	return mark[index] - (index ? mark[index - 1] : 0);
}

static double total(const double *mark, int index)
{
	return mark[index];
}

int main(int argc, char **argv)
{
	const char *kernel = real_kernel();
	const char *asked = getenv("AVD_BENCH_ROUNDS");
	struct avd_machine_info machine;
	struct avd_kernel_info info;
	struct avd_cell_options options = AVD_OPTIONS_INIT(struct avd_cell_options);
	if (!kernel)
		return EXIT_SKIPPED;
	if (argc < 2) {
		fprintf(stderr, "usage: %s SCHEDULER [ARGUMENT...]\n", argv[0]);
		return 2;
	}
	rounds = asked ? (unsigned int)atoi(asked) : ROUNDS;
	if (rounds < 1 || rounds > ROUNDS_MAX)
		rounds = ROUNDS;
	options.kernel = kernel;
	options.scheduler = (const char *const *)&argv[1];
	options.scheduler_count = (size_t)argc - 1;
	options.on_event = on_event;
	for (unsigned int i = 0; i < rounds; i++) {
		if (run_round(&options, marks[i]) < 0)
			return EXIT_FAILURE;
	}
	if (avd_machine_probe(AVD_MACHINE_AUTO, NULL, &machine, NULL, 0) < 0 ||
	    avd_kernel_describe(kernel, &info, NULL, 0) < 0)
		return EXIT_FAILURE;
	printf("kernel %s, machine %s (%s), 2 CPUs, %u rounds; seconds\n", info.release,
	       avd_machine_kind_name(machine.kind), machine.accel, rounds);
	printf("%-52s %8s %8s %8s\n", "", "least", "median", "most");
	for (int i = 0; i < MARKS; i++)
		print_line(names[i], phase, i);
	print_line("whole cell", total, ENDED);
	return EXIT_SUCCESS;
}
