// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A sweep: one kernel, some schedulers, and what each must come to. Started again with the same
 * words it goes on where it was; what is in DIR is what `attachverdict sweep` writes.
 *
 *     cc sweep_run.c $(pkg-config --cflags --libs libattachverdict) -o sweep_run
 *     ./sweep_run DIR KERNEL SCHEDULER[=EXPECTED]...    such as ./scx_bad=DIED/exited [passed]
 *
 * Exit status: 0 all as expected, 1 not, 2 usage, 3 some have no result or could not be tried.
 */
#include <attachverdict/attachverdict.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static avd_sweep *sweep;

/* Cells that run end without a result; those that ended keep theirs. */
static void on_signal(int number)
{
	(void)number;
	avd_sweep_cancel(sweep);
}

static void on_cell(void *userdata, size_t index, const struct avd_cell_result *result)
{
	(void)userdata;
	(void)index;
	if (!result) /* it starts */
		return;
	printf("%s: %s%s\n", result->id, avd_outcome_name(result->outcome),
	       result->met ? "" : ", NOT as expected");
	fflush(stdout);
}

static int add_scheduler(avd_plan *plan, const char *word, size_t number)
{
	char path[4096], name[32], match[64];
	const char *expected = strchr(word, '=');
	const char *argv[] = {path};
	const size_t length = expected ? (size_t)(expected - word) : strlen(word);

	snprintf(path, sizeof(path), "%.*s", (int)length, word);
	snprintf(name, sizeof(name), "scheduler-%zu", number);
	snprintf(match, sizeof(match), "scheduler=%s", name);
	const int r = avd_plan_add_scheduler(plan, name, argv, 1);
	if (r < 0 || !expected)
		return r;
	return avd_plan_add_rule(plan, AVD_RULE_EXPECT, match, expected + 1);
}

/* The plan of what the command line says; on failure its message has the reason. */
static int make_plan(avd_plan *plan, const char *kernel, char **schedulers, int count)
{
	int r = avd_plan_add_kernel(plan, NULL, kernel);

	for (int i = 0; r == 0 && i < count; i++)
		r = add_scheduler(plan, schedulers[i], (size_t)i + 1);
	return r == 0 ? avd_plan_finish(plan) : r;
}

/* Prints the grid; the exit status. A cell without a result says nothing of its scheduler. */
static int show(const char *dir)
{
	struct avd_results_counts counts = AVD_OPTIONS_INIT(struct avd_results_counts);
	avd_results *results;
	char error[512], *text;
	size_t size;

	if (avd_results_open(dir, &results, error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
		return 3;
	}
	int status = 3;
	if (avd_results_count(results, &counts) == 0 &&
	    avd_results_print(results, AVD_FORMAT_TEXT, NULL, &text, &size) == 0) {
		fwrite(text, 1, size, stdout);
		avd_free(text);
		status = counts.unmet ? 1 : counts.ran < counts.cells ? 3 : 0;
	}
	avd_results_free(results);
	return status;
}

int main(int argc, char **argv)
{
	struct avd_sweep_options options = AVD_OPTIONS_INIT(struct avd_sweep_options);
	struct sigaction action = {.sa_handler = on_signal};
	char error[512];
	avd_plan *plan;

	if (argc < 4) {
		fprintf(stderr, "usage: %s DIR KERNEL SCHEDULER[=EXPECTED]...\n", argv[0]);
		return 2;
	}
	if (avd_plan_new(&plan) < 0)
		return 3;
	if (make_plan(plan, argv[2], &argv[3], argc - 3) < 0) {
		fprintf(stderr, "%s\n", avd_plan_error(plan));
		avd_plan_free(plan);
		return 2;
	}
	options.dir = argv[1];
	options.on_cell = on_cell;
	int status = 3;
	if (avd_sweep_new(plan, &options, &sweep, error, sizeof(error)) < 0) {
		fprintf(stderr, "%s\n", error);
	} else {
		sigaction(SIGINT, &action, NULL);
		if (avd_sweep_run(sweep) < 0)
			fprintf(stderr, "%s\n", avd_sweep_error(sweep));
		else
			status = 0;
		signal(SIGINT, SIG_DFL);
		avd_sweep_free(sweep);
	}
	avd_plan_free(plan); /* after the sweep, which uses it */
	return status == 0 ? show(argv[1]) : status;
}
