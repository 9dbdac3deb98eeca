// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cmd_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "exit_style.h"
#include "series.h"
#include "status.h"

/* What the handler may touch. There is one run at a time in a process. */
static avd_cell *volatile running_cell; /* NULL between two runs */
static volatile sig_atomic_t interrupted; /* the first signal's number */
static volatile sig_atomic_t on_terminal;

/* The first signal asks for an orderly end; the second one has its default effect. */
static void on_signal(int number)
{
	static const char clear_line[] = "\r\033[K";
	if (!interrupted) {
		interrupted = number;
		if (running_cell)
			avd_cell_cancel(running_cell);
		return;
	}
	if (on_terminal && write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0) {
		/* nothing is left to be done about it */
	}
	signal(number, SIG_DFL);
	raise(number); /* takes effect when this handler returns */
}

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal}, before;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CLI_COUNT(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN) /* nohup, or a shell's background job */
			sigaction(stop_signals[i], &action, NULL);
	}
}

static void release_signals(void)
{
	for (size_t i = 0; i < CLI_COUNT(stop_signals); i++) {
		struct sigaction now;
		sigaction(stop_signals[i], NULL, &now);
		if (now.sa_handler == on_signal)
			signal(stop_signals[i], SIG_DFL);
	}
}

static const char *phase_text(uint32_t phase)
{
	switch (phase) {
	case AVD_PHASE_BOOT:
		return "boot: the guest prepares the start";
	case AVD_PHASE_START:
		return "start: the scheduler is being started";
	case AVD_PHASE_GATE:
		return "gate: waiting for proof of the attach";
	case AVD_PHASE_DISPATCH:
		return "dispatch: looking whether every CPU runs tasks";
	case AVD_PHASE_PAYLOAD:
		return "payload: it runs";
	case AVD_PHASE_TEARDOWN:
		return "teardown: the scheduler is being stopped";
	default:
		return "in an unknown phase";
	}
}

static void on_event(void *userdata, const struct avd_event *event)
{
	struct status *status = userdata;
	if (event->type == AVD_EVENT_FRAME && event->message &&
	    event->message->kind == AVD_MSG_PHASE)
		status_phase(status, phase_text(event->message->u.phase.phase));
}

static void on_log(void *userdata, enum avd_log_level level, const char *text)
{
	struct status *status = userdata;
	if (level <= AVD_LOG_WARNING || (status->verbose && level <= AVD_LOG_INFO))
		status_note(status, text, strlen(text));
}

/* Where this run's recording goes, and where it leaves its files: by its number in a series. */
struct places {
	char *record, *keep;
};

static int find_places(const struct run_request *request, uint32_t run, struct places *places)
{
	*places = (struct places){NULL, NULL};
	if (request->record && asprintf(&places->record, "%s.%" PRIu32, request->record, run) < 0)
		return cli_error("out of memory");
	if (request->keep && asprintf(&places->keep, "%s/%" PRIu32, request->keep, run) < 0)
		return cli_error("out of memory");
	if (places->keep && mkdir(places->keep, 0700) < 0 && errno != EEXIST)
		return cli_error("cannot make the directory %s: %s", places->keep, strerror(errno));
	return 0;
}

/* Takes what the cell came to. Returns -1 to go on, or the exit code. */
typedef int (*take_fn)(void *userdata, avd_cell *cell, uint64_t wall_ns);

static void note_outcome(struct run_request *request, const avd_cell *cell)
{
	struct avd_verdict verdict;
	if (avd_cell_state(cell) != AVD_CELL_ENDED ||
	    avd_stream_verdict(avd_cell_stream(cell), &verdict) < 0)
		return;
	request->ran++;
	request->unmet += verdict.result != AVD_RESULT_PASSED;
	request->unconfirmed += verdict.outcome == AVD_OUTCOME_UNCONFIRMED;
}

static int run_cell(struct run_request *request, const char *prefix, take_fn take, void *userdata)
{
	struct status status;
	avd_cell *cell;
	char error[1024];

	status_start(&status, request->verbose, prefix, &interrupted);
	on_terminal = status.have_thread;
	request->cell.on_event = on_event;
	request->cell.log = on_log;
	request->cell.userdata = &status;
	int r = avd_cell_new(&request->cell, &cell, error, sizeof(error));
	if (r < 0) {
		status_end(&status);
		cli_error("%s", error);
		return r == -EINVAL || r == -E2BIG ? CLI_USAGE : CLI_NOT_TRIED;
	}
	running_cell = cell;
	catch_signals();
	status_phase(&status, "preparing: the kernel and the initramfs");
	/* A signal that came between two runs found no cell to cancel. */
	r = interrupted ? -ECANCELED : avd_cell_start(cell);
	if (r >= 0) {
		status_phase(&status, "booting: waiting for the guest's first frame");
		r = avd_cell_run(cell);
	}
	const uint64_t wall_ns = status_elapsed(&status);
	status_end(&status);
	int code;
	note_outcome(request, cell);
	if (r >= 0)
		code = take(userdata, cell, wall_ns);
	else if (interrupted)
		code = CLI_NOT_TRIED;
	else
		code = cli_error("%s", avd_cell_error(cell));
	running_cell = NULL;
	avd_cell_free(cell);
	return code;
}

static int take_only_one(void *userdata, avd_cell *cell, uint64_t wall_ns)
{
	const struct run_request *request = userdata;
	(void)wall_ns;
	return cli_print_report(avd_cell_stream(cell), request->format, request->verbose);
}

struct series_run {
	struct series *series;
	const struct places *places;
};

static int take_one_of_many(void *userdata, avd_cell *cell, uint64_t wall_ns)
{
	const struct series_run *run = userdata;
	/* A run that was stopped says nothing about the cell. */
	if (interrupted)
		return CLI_NOT_TRIED;
	const int code =
		series_add(run->series, avd_cell_stream(cell), wall_ns, run->places->record);
	return code ? code : -1;
}

/* Ends at the first run that could not be tried, and tells what there is by then. */
static int run_series(struct run_request *request)
{
	struct series series;
	int code = -1;

	series_begin(&series, request->repeat, request->format, request->verbose);
	for (uint32_t run = 1; run <= request->repeat && code < 0 && !interrupted; run++) {
		struct places places;
		struct series_run one = {&series, &places};
		char prefix[64];
		snprintf(prefix, sizeof(prefix),
			 "run %" PRIu32 " of %" PRIu32 ", %" PRIu32 " failed: ", run,
			 request->repeat, series.done - series.passed);
		code = find_places(request, run, &places);
		request->cell.record_path = places.record;
		request->cell.keep_dir = places.keep;
		if (code == 0)
			code = run_cell(request, prefix, take_one_of_many, &one);
		free(places.record);
		free(places.keep);
	}
	const int sum = series_end(&series);
	/* As in a sweep, a run that failed weighs more than one that could not be tried. */
	return code < 0 || series.passed < series.done ? sum : code;
}

/* Ends as the signal would have ended it, so that a shell's loop stops too; shells show 128 and
 * its number. */
static int end_by_signal(int code)
{
	code = cli_finish(code);
	signal(interrupted, SIG_DFL);
	raise(interrupted);
	return code;
}

static int run(const struct cli_command *command, int argc, char **argv)
{
	struct run_request request;
	const uint32_t style = exit_style_of(argc, argv);
	int code = run_parse(command, argc, argv, &request);
	if (code < 0)
		code = request.repeat > 1 ? run_series(&request)
					  : run_cell(&request, "", take_only_one, &request);
	release_signals();
	run_request_free(&request);
	code = exit_style_of_cells(style, code, request.ran, request.unmet, request.unconfirmed);
	return interrupted ? end_by_signal(code) : code;
}

const struct cli_command cli_run = {
	.name = "run",
	.usage = "--scheduler PROGRAM [OPTION]... [-- ARGUMENT...]",
	.summary = "boot a kernel, start a scheduler in it, give the verdict",
	.about = "Boots a kernel, starts the scheduler in it and reports whether it turned on.",
	.options = run_options,
	.option_count = RUN_OPTION_COUNT,
	.more = run_more,
	.keeps_rest = 1,
	.run = run,
};
