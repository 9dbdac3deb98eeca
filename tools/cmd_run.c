// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cmd_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "status.h"

/* What the handler may touch. There is one run in a process. */
static avd_cell *running_cell;
static volatile sig_atomic_t interrupted; /* the first signal's number */
static volatile sig_atomic_t on_terminal;

/* The first signal asks for an orderly end; the second one has its default effect. */
static void on_signal(int number)
{
	static const char clear_line[] = "\r\033[K";
	if (!interrupted) {
		interrupted = number;
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

static void catch_signals(avd_cell *cell)
{
	struct sigaction action = {.sa_handler = on_signal}, before;
	running_cell = cell;
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

static int run_cell(struct run_request *request)
{
	struct status status;
	avd_cell *cell;
	char error[1024];

	status_start(&status, request->verbose, &interrupted);
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
	catch_signals(cell);
	status_phase(&status, "preparing: the kernel and the initramfs");
	r = avd_cell_start(cell);
	if (r >= 0) {
		status_phase(&status, "booting: waiting for the guest's first frame");
		r = avd_cell_run(cell);
	}
	status_end(&status);
	int code;
	if (r >= 0)
		code = cli_print_report(avd_cell_stream(cell), request->format, request->verbose);
	else if (interrupted)
		code = CLI_NOT_TRIED;
	else
		code = cli_error("%s", avd_cell_error(cell));
	release_signals();
	avd_cell_free(cell);
	return code;
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
	int code = run_parse(command, argc, argv, &request);
	if (code < 0)
		code = run_cell(&request);
	run_request_free(&request);
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
