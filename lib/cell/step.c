// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/step.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/proc.h"
#include "cell/limits.h"

static struct avd__moment moment(const struct avd_cell *cell)
{
	return (struct avd__moment){
		.wall = cell->hooks.now(cell->hooks.userdata),
		.cpu = avd__run_cpu_ns(&cell->run),
		.wait = avd__run_wait_ns(&cell->run),
	};
}

/* `now`: the host's clock. A delay that has passed already fires at once. */
static int arm_timer(struct avd_cell *cell, uint64_t now, uint64_t delay)
{
	const struct itimerspec timer = {
		.it_value = {.tv_sec = (time_t)(delay / AVD__SECOND),
			     .tv_nsec = (long)(delay % AVD__SECOND)},
	};
	cell->next_check = now + delay;
	if (timerfd_settime(cell->timer_fd, 0, &timer, NULL) < 0) {
		const int err = errno;
		return avd__fail(&cell->error, err, "cannot set a timer: %s", strerror(err));
	}
	return 0;
}

int avd__cell_begin(struct avd_cell *cell)
{
	const struct avd_cell_options *o = &cell->config.options;
	const struct avd__watchdog_limits limits = {
		.boot_cpu = o->boot_timeout_ms * AVD__MS,
		.silence_cpu = o->silence_timeout_ms * AVD__MS,
		.idle_wall = o->idle_timeout_ms * AVD__MS,
		.total_wall = o->timeout_ms * AVD__MS,
		.grace = AVD__CELL_GRACE_MS * AVD__MS,
	};
	const struct avd__moment now = moment(cell);
	cell->started = now.wall;
	avd__watchdog_start(&cell->watchdog, &limits, now);
	return arm_timer(cell, now.wall,
			 avd__watchdog_delay(&cell->watchdog, now, cell->config.cpus));
}

/* The frame after which the outcome is what it will be, if the stream stays sound. */
static int decides(uint32_t kind)
{
	return kind == AVD_MSG_PAYLOAD_STARTING || kind == AVD_MSG_SCHEDULER_DIED ||
	       kind == AVD_MSG_SCHEDULER_NOT_ATTACHED;
}

static void note_verdict(struct avd_cell *cell)
{
	struct avd_machine_stats *stats = &cell->run.stats;
	if (stats->valid & AVD_STAT_VERDICT)
		return;
	stats->verdict_ns = avd__run_age(&cell->run);
	stats->valid |= AVD_STAT_VERDICT;
}

void avd__cell_on_event(void *userdata, const struct avd_event *event)
{
	struct avd_cell *cell = userdata;
	const struct avd_cell_options *o = &cell->config.options;
	if (event->type == AVD_EVENT_FRAME && event->seq < AVD_HOST_SEQ_BASE) {
		cell->frames_seen++;
		if (event->message && event->message->kind == AVD_MSG_PHASE)
			cell->last_phase = event->message->u.phase.phase;
		if (event->message && decides(event->message->kind))
			note_verdict(cell);
		if (event->message && event->message->kind == AVD_MSG_DONE)
			cell->done = 1;
	}
	if (o->on_event)
		o->on_event(o->userdata, event);
}

/* Tells the machine to end. The first reason stands. */
static void stop_machine(struct avd_cell *cell, uint32_t cause, const char *detail)
{
	if (cell->state != AVD__CELL_RUNNING)
		return;
	avd__cell_input(cell, AVD__CELL_ON_STOP);
	avd__log(&cell->log, AVD_LOG_INFO, "stopping the machine: %s", detail);
	snprintf(cell->stop_detail, sizeof(cell->stop_detail), "%s", detail);
	cell->stop_cause = cause;
	cell->stop_asked = cell->hooks.now(cell->hooks.userdata);
	avd__run_stop(&cell->run, cause);
}

static void on_console(void *userdata, const void *bytes, size_t size)
{
	struct avd_cell *cell = userdata;
	const struct avd_cell_options *o = &cell->config.options;
	cell->console_seen += size;
	avd__console_feed(&cell->console, bytes, size);
	avd__keep_console(cell, bytes, size);
	if (o->on_console)
		o->on_console(o->userdata, bytes, size);
}

/* One place for every byte of a recording: the verdict is derived from the same ones. */
static int take(struct avd_cell *cell, const void *bytes, size_t size)
{
	const int r = avd_stream_feed(cell->stream, bytes, size);
	if (r < 0) {
		cell->broken = r;
		return r;
	}
	if (avd__recording_write(&cell->recording, bytes, size) < 0)
		avd__log(&cell->log, AVD_LOG_ERROR, "%s", cell->recording.error.text);
	return 0;
}

static int on_channel(void *userdata, const void *bytes, size_t size)
{
	struct avd_cell *cell = userdata;
	const uint64_t limit = cell->config.options.channel_limit;
	const uint64_t room = limit - cell->channel_bytes;
	const size_t part = size < room ? size : (size_t)room;
	if (cell->broken)
		return cell->broken;
	cell->channel_bytes += part;
	avd__keep_channel(cell, bytes, part);
	const int r = take(cell, bytes, part);
	if (r < 0)
		return r;
	if (part < size) { /* the rest is dropped: the machine ends here */
		char detail[AVD__CELL_DETAIL];
		snprintf(detail, sizeof(detail),
			 "the guest sent more than %" PRIu64 " bytes: channel_limit=%" PRIu64
			 "; lower log_limit or raise channel_limit",
			 limit, limit);
		stop_machine(cell, AVD_END_WATCHDOG, detail);
	}
	return 0;
}

static void run_watchdog(struct avd_cell *cell, struct avd__moment now)
{
	const enum avd__watchdog_rule rule = avd__watchdog_check(&cell->watchdog, now);
	char detail[AVD__CELL_DETAIL];
	if (rule == AVD__RULE_NONE)
		return;
	avd__watchdog_describe(&cell->watchdog, rule, now,
			       cell->last_phase ? avd_phase_name(cell->last_phase) : NULL, detail,
			       sizeof(detail));
	stop_machine(cell, AVD_END_WATCHDOG, detail);
}

static void look_for_cancel(struct avd_cell *cell)
{
	uint64_t count;
	if (read(cell->cancel_fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	cell->cancelled = 1;
	stop_machine(cell, AVD_END_HOST_STOP, "the caller cancelled the cell");
}

/* The cell can't go on without losing the truth: no verdict, no recording. */
int avd__cell_give_up(struct avd_cell *cell, int r)
{
	avd__cell_input(cell, AVD__CELL_ON_ERROR);
	avd__run_release(&cell->run);
	avd__recording_close(&cell->recording);
	avd__keep_close(cell);
	return cell->result = r;
}

static int finish(struct avd_cell *cell, const struct avd__machine_end *end, int gone)
{
	uint8_t *frame = NULL;
	size_t size = 0;
	avd__console_end(&cell->console);
	avd__run_update(&cell->run);
	int r = avd__cell_end_frame(cell, end, &frame, &size);
	if (r == 0)
		r = take(cell, frame, size);
	free(frame);
	if (r == 0)
		r = avd_stream_finish(cell->stream);
	if (r < 0)
		return avd__cell_give_up(cell,
					 avd__fail(&cell->error, -r, "cannot end the stream: %s",
						   strerror(-r)));
	avd__log(&cell->log, AVD_LOG_DEBUG, "the machine ended: %s",
		 avd_end_cause_name(end->cause));
	if (gone)
		avd__run_release(&cell->run);
	avd__keep_close(cell);
	/* A cancelled cell was not tried to its end: an older recording is worth more. */
	if (end->cause != AVD_END_HOST_STOP)
		r = avd__recording_commit(&cell->recording, &cell->error);
	avd__recording_close(&cell->recording);
	avd__cell_input(cell, AVD__CELL_ON_END);
	return cell->result = r;
}

/* A machine that does not end when told (its process hangs in the host's kernel) is left to
 * avd_cell_free(), which may have to wait for it; the verdict need not. */
static int overdue(const struct avd_cell *cell, uint64_t now)
{
	return cell->state == AVD__CELL_STOPPING &&
	       now - cell->stop_asked >= AVD__CELL_GRACE_MS * AVD__MS;
}

static void tell_watchdog(struct avd_cell *cell, struct avd__moment now)
{
	if (cell->frames_seen)
		avd__watchdog_frame(&cell->watchdog, now, cell->done);
	else if (cell->console_seen)
		avd__watchdog_console(&cell->watchdog, now);
	cell->frames_seen = 0;
	cell->console_seen = 0;
}

/* Nobody looked for a while: see watchdog.h. What the rules count began before the
 * check was due, so nothing gets ahead of the clock. */
static void forgive_lateness(struct avd_cell *cell, uint64_t wall)
{
	if (wall < cell->next_check + AVD__CELL_LATE)
		return;
	const uint64_t lateness = wall - cell->next_check;
	avd__log(&cell->log, AVD_LOG_INFO,
		 "nobody looked at the machine for %" PRIu64 " ms: they don't count",
		 lateness / AVD__MS);
	avd__watchdog_pause(&cell->watchdog, lateness);
	if (cell->stop_asked <= cell->next_check) /* else it was asked just now */
		cell->stop_asked += lateness;
	cell->next_check = wall;
}

/* Until the machine that was told to stop is overdue; never nothing, which would disarm a timer,
 * and nothing below it: the moment may have passed since it was looked at. */
static uint64_t until_overdue(const struct avd_cell *cell, uint64_t now)
{
	const uint64_t at = cell->stop_asked + AVD__CELL_GRACE_MS * AVD__MS;
	return at > now + AVD__CELL_TICK_MIN ? at - now : AVD__CELL_TICK_MIN;
}

static int after_step(struct avd_cell *cell)
{
	const uint64_t wall = cell->hooks.now(cell->hooks.userdata);
	forgive_lateness(cell, wall);
	if (overdue(cell, wall)) {
		struct avd__machine_end end = {.cause = cell->stop_cause};
		snprintf(end.detail, sizeof(end.detail), "%s", cell->stop_detail);
		return finish(cell, &end, 0);
	}
	if (!cell->frames_seen && !cell->console_seen && wall < cell->next_check)
		return 1;
	const struct avd__moment now = moment(cell);
	tell_watchdog(cell, now);
	run_watchdog(cell, now);
	const uint64_t delay =
		cell->state == AVD__CELL_STOPPING
			? until_overdue(cell, now.wall)
			: avd__watchdog_delay(&cell->watchdog, now, cell->config.cpus);
	const int r = arm_timer(cell, now.wall, delay);
	return r < 0 ? avd__cell_give_up(cell, r) : 1;
}

static int step_machine(struct avd_cell *cell)
{
	const struct avd__machine_sink sink = {
		.userdata = cell,
		.console = on_console,
		.channel = on_channel,
	};
	struct avd__machine_end end = {.cause = AVD_END_UNKNOWN};
	const int r = avd__run_step(&cell->run, &sink, &end);
	if (cell->broken)
		return avd__cell_give_up(cell, avd__fail(&cell->error, -cell->broken,
							 "cannot keep what the guest sends: %s",
							 strerror(-cell->broken)));
	if (r == 0)
		return finish(cell, &end, 1);
	return after_step(cell);
}

int avd_cell_step(avd_cell *cell)
{
	uint64_t expirations;
	switch (cell->state) {
	case AVD__CELL_ENDED:
	case AVD__CELL_FAILED:
		return cell->result;
	case AVD__CELL_RUNNING:
	case AVD__CELL_STOPPING:
		break;
	default:
		return avd__fail(&cell->error, EINVAL, "the cell was not started");
	}
	/* Only its wake-up counts: what is due is decided by the clock. */
	const ssize_t n = read(cell->timer_fd, &expirations, sizeof(expirations));
	(void)n;
	look_for_cancel(cell);
	return step_machine(cell);
}
