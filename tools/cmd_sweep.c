// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cmd_sweep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exit_style.h"

/* How often the line on a terminal is drawn anew though nothing ended. */
#define REDRAW_MS 500
#define CLEAR_LINE "\r\033[K"

/* What the handler may touch. There is one sweep in a process. */
static avd_sweep *running_sweep;
static volatile sig_atomic_t interrupted;

struct progress {
	avd_sweep *sweep;
	const avd_plan *plan;
	int on_terminal;
	struct timespec started;
	size_t kept; /* before this run */
	double last_end; /* of a cell, in seconds since the start */
};

/* The first signal asks for an orderly end; the second one has its default effect. */
static void on_signal(int number)
{
	if (interrupted) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	interrupted = number;
	avd_sweep_cancel(running_sweep);
}

static void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal}, before;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CLI_COUNT(numbers); i++) {
		sigaction(numbers[i], NULL, &before);
		if (before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void draw(const struct progress *progress)
{
	struct avd_progress now = AVD_OPTIONS_INIT(struct avd_progress);
	char left[64] = "", line[256];
	if (!progress->on_terminal || avd_sweep_progress(progress->sweep, &now) < 0)
		return;
	const size_t ran = now.done - progress->kept;
	if (ran) {
		/* As long as those before; what has passed since the last one is done. */
		const double each = progress->last_end / (double)ran;
		const double rest = each * (double)(now.cells - now.done) -
				    (seconds_since(&progress->started) - progress->last_end);
		if (rest > 0)
			snprintf(left, sizeof(left), ", about %.0f %s left",
				 rest < 120 ? rest : rest / 60, rest < 120 ? "s" : "min");
	}
	snprintf(line, sizeof(line), "%zu of %zu done, %zu running, %zu not as expected%s%s",
		 now.done, now.cells, now.running, now.done - now.met,
		 interrupted ? "; stopping" : "", left);
	fprintf(stderr, CLEAR_LINE "%.*s", cli_columns(stderr) - 1, line);
	fflush(stderr);
}

/* A line for each cell that ends; for one that is not as expected, how to run it alone. */
static void on_cell(void *userdata, size_t index, const struct avd_cell_result *result)
{
	struct progress *progress = userdata;
	char expect[64];
	(void)index;
	if (!result)
		return;
	progress->last_end = seconds_since(&progress->started);
	if (progress->on_terminal)
		fputs(CLEAR_LINE, stderr);
	printf("%s %s: ", result->met ? "ok    " : "not ok", result->id);
	cli_print_outcome(result);
	printf(", %.1f s\n", (double)result->wall_ns / 1e9);
	if (!result->met) {
		avd_expectation_print(&result->expect, expect, sizeof(expect));
		printf("       expected %s; ", expect);
		const char *words = avd_reason_words(result->result_reason);
		cli_print_clean(stdout, words, strlen(words));
		printf("\n       %s\n", result->command);
	}
	fflush(stdout);
}

static int print_plan(const avd_plan *plan)
{
	const size_t count = avd_plan_count(plan);
	for (size_t i = 0; i < count; i++) {
		struct avd_plan_cell cell;
		char expect[64];
		avd_plan_get(plan, i, &cell);
		avd_expectation_print(&cell.expect, expect, sizeof(expect));
		printf("%zu %s %u CPU%s, expects %s\n", i, cell.id, cell.cpus,
		       cell.cpus == 1 ? "" : "s", expect);
	}
	return CLI_PASSED;
}

static int finish(const struct progress *progress, int r, struct avd_progress *ret_end)
{
	struct avd_progress now = AVD_OPTIONS_INIT(struct avd_progress);
	avd_sweep_progress(progress->sweep, &now);
	*ret_end = now;
	if (progress->on_terminal)
		fputs(CLEAR_LINE, stderr);
	if (r < 0)
		return cli_error("%s", avd_sweep_error(progress->sweep));
	const size_t untried = now.cells - now.met - now.unmet;
	printf("%zu cell%s: %zu as expected, %zu not, %zu without a result; %zu %s there before\n",
	       now.cells, now.cells == 1 ? "" : "s", now.met, now.unmet, untried, now.kept,
	       now.kept == 1 ? "was" : "were");
	if (interrupted && untried)
		fputs("stopped: the same command runs what is left\n", stderr);
	if (now.unmet)
		return CLI_FAILED;
	return untried ? CLI_NOT_TRIED : CLI_PASSED;
}

static int run_sweep(struct sweep_request *request)
{
	struct progress progress = {
		.plan = request->plan,
		.on_terminal = cli_may_redraw(stderr),
	};
	struct avd_progress before = AVD_OPTIONS_INIT(struct avd_progress);
	char error[1024];
	int r;
	request->options.on_cell = on_cell;
	request->options.userdata = &progress;
	r = avd_sweep_new(request->plan, &request->options, &progress.sweep, error, sizeof(error));
	if (r < 0) {
		cli_error("%s", error);
		return r == -EINVAL ? CLI_USAGE : CLI_NOT_TRIED;
	}
	clock_gettime(CLOCK_MONOTONIC, &progress.started);
	avd_sweep_progress(progress.sweep, &before);
	if (before.strangers)
		cli_error("%s had %zu result%s of cells that this plan does not have: no longer "
			  "shown, recordings stay in %s/cells; was another --out meant?",
			  request->options.dir, before.strangers, before.strangers == 1 ? "" : "s",
			  request->options.dir);
	progress.kept = before.kept;
	running_sweep = progress.sweep;
	catch_signals();
	while ((r = avd_sweep_step(progress.sweep)) > 0) {
		struct pollfd event = {.fd = avd_sweep_fd(progress.sweep), .events = POLLIN};
		draw(&progress);
		(void)poll(&event, 1, progress.on_terminal ? REDRAW_MS : -1);
	}
	const int code = finish(&progress, r, &request->end);
	/* The handler must not reach for what is gone. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	avd_sweep_free(progress.sweep);
	return code;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct sweep_request request;
	const uint32_t style = exit_style_of(argc, argv);
	int code = sweep_parse(command, argc, argv, &request);
	if (code < 0)
		code = request.list ? print_plan(request.plan) : run_sweep(&request);
	avd_plan_free(request.plan);
	code = exit_style_of_cells(style, code, request.end.met + request.end.unmet,
				   request.end.unmet, request.end.unconfirmed);
	if (!interrupted)
		return code;
	code = cli_finish(code);
	raise(interrupted); /* a shell's loop stops too */
	return code;
}

const struct cli_command cli_sweep = {
	.name = "sweep",
	.usage = "[PLAN] --out DIR [OPTION]...",
	.summary = "run many cells: kernels x schedulers x topologies",
	.about = "Runs the cells of a plan, a file (attachverdict-sweep(5)) or options, or both.",
	.options = sweep_options,
	.option_count = SWEEP_OPTION_COUNT,
	.more = "Exit status: 0 all as expected; 1 not; 2 wrong usage; 3 some without a result",
	.run = run,
};
