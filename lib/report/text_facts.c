// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/machine.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "report/format.h"
#include "report/text.h"
#include "report/topology.h"

static void put_escaped(struct avd__text *text, const char *guest)
{
	avd__buf_escape(&text->out, guest, strlen(guest));
}

/* The verdict's lines tell it already. */
static int is_told(const struct avd__text *text, const char *words)
{
	return strstr(text->verdict->result_reason, words) != NULL;
}

static void row_commands(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	if (ev->scheduler_len) {
		avd__text_row(text, "scheduler");
		avd__put_command(&text->out, ev->scheduler, ev->scheduler_len);
		avd__buf_puts(&text->out, "\n");
	}
	if (ev->payload_len) {
		avd__text_row(text, "payload");
		avd__put_command(&text->out, ev->payload, ev->payload_len);
		avd__buf_puts(&text->out, "\n");
	}
}

/* How a process ended: error of exec, signal or status. */
static void put_end_of_process(struct avd__text *text, int32_t status, uint32_t signal,
			       uint32_t error)
{
	struct avd__buf *out = &text->out;
	if (error) {
		avd__buf_puts(out, "not started: ");
		avd__put_errno(out, error);
	} else if (signal) {
		avd__buf_puts(out, "killed by ");
		avd__put_signal(out, signal);
	} else {
		avd__buf_printf(out, "exit status %" PRId32, status);
	}
}

static void row_attach(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	if (ev->have_attached) {
		avd__text_row(text, "attach");
		avd__buf_puts(out, "ops \"");
		put_escaped(text, ev->ops);
		avd__buf_printf(out, "\", enable_seq %" PRIu64 " -> %" PRIu64 ", %s; ",
				ev->attached.enable_seq_before, ev->attached.enable_seq,
				ev->attached.switch_all ? "all tasks"
							: "only tasks that ask for it");
		avd__put_duration(out, ev->attached.cpu_ns);
		avd__buf_puts(out, " of CPU time");
		if (ev->settle_ms)
			avd__buf_printf(out, ", held for %" PRIu64 " ms", ev->settle_ms);
		avd__buf_puts(out, "\n");
	}
	if (ev->have_failure &&
	    (ev->failure.error || ev->failure.signal || ev->failure.exit_status >= 0)) {
		avd__text_row(text, "process");
		put_end_of_process(text, ev->failure.exit_status, ev->failure.signal,
				   ev->failure.error);
		avd__buf_puts(out, "\n");
	}
}

static void row_phases(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	int any = 0;
	for (uint32_t phase = 1; phase < AVD__ARRAY_SIZE(ev->phase_ns); phase++) {
		if (!ev->phase_ns[phase])
			continue;
		if (!any)
			avd__text_row(text, "phases");
		avd__buf_printf(out, "%s%s %" PRIu64 ".%02" PRIu64, any ? ", " : "",
				avd_phase_name(phase), ev->phase_ns[phase] / 1000000000,
				ev->phase_ns[phase] / 10000000 % 100);
		any = 1;
	}
	if (any)
		avd__buf_puts(out, " s after power-on\n");
}

/* Names the CPUs that saw no progress. */
static void row_dispatch(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	if (!ev->have_dispatch)
		return;
	const uint32_t shown = (uint32_t)sizeof(ev->dispatch_cpus) * 8;
	const uint32_t cpus = ev->dispatch.cpus_online < shown ? ev->dispatch.cpus_online : shown;
	uint32_t good = 0;
	for (uint32_t i = 0; i < cpus; i++)
		good += ev->dispatch_cpus[i / 8] >> (i % 8) & 1;
	avd__text_row(text, "dispatch");
	avd__buf_printf(out, "%" PRIu32 " of %" PRIu32 " CPU%s ran tasks", good,
			ev->dispatch.cpus_online, ev->dispatch.cpus_online == 1 ? "" : "s");
	if (good < cpus) {
		avd__buf_puts(out, cpus - good == 1 ? "; not CPU " : "; not CPUs ");
		avd__put_missing_cpus(out, ev->dispatch_cpus, cpus);
	}
	if (ev->dispatch.tasks)
		avd__buf_printf(out, "; %" PRIu32 " of %" PRIu32 " tasks made progress",
				ev->dispatch.tasks_ok, ev->dispatch.tasks);
	if (ev->dispatch.wall_ns) {
		avd__buf_puts(out, " in ");
		avd__put_duration(out, ev->dispatch.wall_ns);
	}
	if (avd__dispatch_mode_name(ev->dispatch.mode))
		avd__buf_printf(out, " (%s)", avd__dispatch_mode_name(ev->dispatch.mode));
	if (*ev->dispatch_reason && !is_told(text, ev->dispatch_reason)) {
		avd__buf_puts(out, "; ");
		put_escaped(text, ev->dispatch_reason);
	}
	avd__buf_puts(out, "\n");
}

static void row_ejection(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	const uint32_t code = text->verdict->result_code;
	if (!ev->have_scheduler_exit || code == AVD_REASON_EJECTED ||
	    code == AVD_REASON_SCHEDULER_EXITED) /* told in full already */
		return;
	const struct avd_msg_scheduler_exit *exit = &ev->scheduler_exit;
	const char *name = avd__exit_kind_name(exit->exit_kind);
	avd__text_row(text, "ejected");
	avd__buf_printf(out, "in phase %s: ", avd_phase_name(exit->phase));
	if (*ev->exit_reason)
		put_escaped(text, ev->exit_reason);
	else
		avd__buf_puts(out, name ? name : "no reason was given");
	if (*ev->exit_message) {
		avd__buf_puts(out, ": ");
		put_escaped(text, ev->exit_message);
	}
	if (exit->exit_kind)
		avd__buf_printf(out, " (kind %" PRIu64, exit->exit_kind);
	if (exit->exit_kind && exit->source == AVD_EXIT_FROM_PROBE)
		avd__buf_printf(out, ", code %" PRId64, exit->exit_code);
	if (exit->exit_kind)
		avd__buf_puts(out, ")");
	avd__buf_puts(out, "\n");
}

static void row_payload_end(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	if (!ev->have_payload_exit)
		return;
	avd__text_row(text, ev->payload_len ? "" : "payload");
	put_end_of_process(text, ev->payload_exit.exit_status, ev->payload_exit.signal,
			   ev->payload_exit.error);
	avd__buf_puts(&text->out, " after ");
	avd__put_duration(&text->out, ev->payload_exit.wall_ns);
	if (ev->payload_exit.ended_by == AVD_PAYLOAD_TIME_LIMIT)
		avd__buf_puts(&text->out, ", ended at its time limit");
	else if (ev->payload_exit.ended_by == AVD_PAYLOAD_SCHEDULER_GONE)
		avd__buf_puts(&text->out, ", ended because its scheduler was gone");
	if (ev->payload_exit.left_some)
		avd__buf_puts(&text->out, "; it left processes behind");
	avd__buf_puts(&text->out, "\n");
}

static void row_machine(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	if (*ev->release || *ev->kernel) {
		avd__text_row(text, "kernel");
		const int path_tells = *ev->release && strstr(ev->kernel, ev->release);
		if (!path_tells)
			put_escaped(text, *ev->release ? ev->release : "of unknown release");
		if (!path_tells && *ev->kernel)
			avd__buf_puts(out, " from ");
		put_escaped(text, ev->kernel);
		avd__buf_puts(out, "\n");
	}
	if (!ev->have_cell)
		return;
	avd__text_row(text, "machine");
	put_escaped(text, ev->machine);
	avd__buf_puts(out, " (");
	put_escaped(text, ev->accel);
	avd__buf_puts(out, "), ");
	put_escaped(text, ev->carrier);
	avd__buf_printf(out, " channel, %" PRIu32 " CPU%s, ", ev->cpus, ev->cpus == 1 ? "" : "s");
	avd__put_size(out, ev->memory_bytes);
	if (*ev->sandbox) {
		avd__buf_puts(out, ", sandbox ");
		put_escaped(text, ev->sandbox);
	}
	avd__buf_puts(out, "\n");
	/* That the best of them was taken needs no words. */
	if (*ev->machine_reason && (text->verbose || strcmp(ev->machine, "kvm") != 0)) {
		avd__text_row(text, "");
		put_escaped(text, ev->machine_reason);
		avd__buf_puts(out, "\n");
	}
}

static void put_timed(struct avd__buf *out, uint64_t ns, uint32_t known, const char *what)
{
	if (!known)
		return;
	avd__put_duration(out, ns);
	avd__buf_printf(out, " %s, ", what);
}

/* What the machine cost; only for who wants to know it all. */
static void row_statistics(struct avd__text *text)
{
	const struct avd_msg_end_cause *end = &text->ev->end_cause;
	struct avd__buf *out = &text->out;
	const uint32_t valid = end->stats_valid;
	if (!text->verbose || !valid)
		return;
	avd__text_row(text, "cost");
	put_timed(out, end->first_instruction_ns, valid & AVD_STAT_FIRST_INSTRUCTION,
		  "to the first instruction");
	put_timed(out, end->init_ns, valid & AVD_STAT_INIT, "to init");
	put_timed(out, end->verdict_ns, valid & AVD_STAT_VERDICT, "to the verdict");
	if (valid & AVD_STAT_EXITS)
		avd__buf_printf(out,
				"%" PRIu64 " exits (%" PRIu64 " port, %" PRIu64 " mmio, %" PRIu64
				" interrupted, %" PRIu64 " other)\n",
				end->exits, end->exits_io, end->exits_mmio, end->exits_intr,
				end->exits_hlt + end->exits_shutdown + end->exits_other);
	else
		avd__buf_puts(out, "exits not known\n");
	if (!(valid & AVD_STAT_MEMORY))
		return;
	avd__text_row(text, "");
	avd__put_size(out, end->ram_resident_bytes);
	avd__buf_puts(out, " of guest memory in use at init, ");
	avd__put_size(out, end->overhead_bytes);
	avd__buf_puts(out, " beyond it\n");
}

static void row_end(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	avd__text_row(text, "end");
	avd__buf_puts(out, avd_end_cause_name(text->verdict->end_cause));
	if (ev->have_done) /* else a shutdown or reset is an accident */
		avd__buf_puts(out, ", in order,");
	if (ev->have_end_cause) {
		avd__buf_puts(out, " after ");
		avd__put_duration(out, ev->end_cause.wall_ns);
		avd__buf_puts(out, " (");
		avd__put_duration(out, ev->end_cause.machine_cpu_ns);
		avd__buf_puts(out, " of the host's CPU time)");
	}
	if (*ev->end_detail && !is_told(text, ev->end_detail)) {
		avd__buf_puts(out, ": ");
		put_escaped(text, ev->end_detail);
	}
	avd__buf_puts(out, "\n");
	if (ev->have_init_failed && !is_told(text, ev->init_reason)) {
		avd__text_row(text, "init");
		put_escaped(text, ev->init_reason);
		avd__buf_puts(out, "\n");
	}
}

static void row_channel(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	avd__text_row(text, "channel");
	avd__buf_printf(out, "%" PRIu64 " frames, ", ev->frames);
	avd__put_size(out, ev->bytes);
	if (ev->gaps || ev->faults) {
		avd__buf_printf(out, ", gaps: %" PRIu64 " (", ev->gaps);
		avd__put_size(out, ev->skipped_bytes);
		avd__buf_printf(out, "), faults: %" PRIu64, ev->faults);
	} else {
		avd__buf_puts(out, ", no gap, no fault");
	}
	avd__buf_puts(out, "\n");
}

void avd__text_facts(struct avd__text *text)
{
	row_commands(text);
	row_payload_end(text);
	row_attach(text);
	row_ejection(text);
	row_dispatch(text);
	avd__text_programs(text);
	row_phases(text);
	row_machine(text);
	avd__text_topology(text);
	row_statistics(text);
	row_end(text);
	row_channel(text);
}
