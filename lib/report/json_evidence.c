// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/json_evidence.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "report/format.h"
#include "report/lines.h"

static void put_text(struct avd__json *json, const char *key, const char *text)
{
	avd__json_cstring(json, key, *text ? text : NULL);
}

static void put_argv(struct avd__json *json, const char *items, size_t len)
{
	avd__json_open(json, "argv", '[');
	for (size_t i = 0; i < len;) {
		const size_t word = strnlen(items + i, len - i);
		avd__json_string(json, NULL, items + i, word);
		i += word + 1;
	}
	avd__json_close(json, ']');
}

static int put_output(struct avd__json *json, const char *key, const struct avd__tail *tail,
		      uint64_t dropped)
{
	struct avd__lines lines;
	const int r = avd__lines_load(&lines, tail);
	if (r < 0)
		return r;
	avd__json_open(json, key, '{');
	avd__json_u64(json, "bytes", tail->total);
	avd__json_u64(json, "dropped", dropped);
	avd__json_open(json, "lines", '[');
	for (size_t i = 0; i < lines.count; i++)
		avd__json_string(json, NULL, lines.line[i].data, lines.line[i].len);
	avd__json_close(json, ']');
	avd__json_close(json, '}');
	avd__lines_free(&lines);
	return 0;
}

/* How a process ended; what does not apply is null. */
static void put_end_of_process(struct avd__json *json, int32_t status, uint32_t signal,
			       uint32_t error)
{
	if (status >= 0 && !signal && !error)
		avd__json_i64(json, "exit_status", status);
	else
		avd__json_null(json, "exit_status");
	if (signal)
		avd__json_u64(json, "signal", signal);
	else
		avd__json_null(json, "signal");
	if (error)
		avd__json_u64(json, "errno", error);
	else
		avd__json_null(json, "errno");
}

static int put_scheduler(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "scheduler", '{');
	put_argv(json, ev->scheduler, ev->scheduler_len);
	if (ev->have_started)
		avd__json_u64(json, "pid", ev->pid);
	else
		avd__json_null(json, "pid");
	const int r = put_output(json, "stdout", &ev->output[AVD_STREAM_SCHEDULER_STDOUT],
				 ev->output_dropped[AVD_STREAM_SCHEDULER_STDOUT]);
	const int r2 = put_output(json, "stderr", &ev->output[AVD_STREAM_SCHEDULER_STDERR],
				  ev->output_dropped[AVD_STREAM_SCHEDULER_STDERR]);
	avd__json_close(json, '}');
	return r < 0 ? r : r2;
}

static void put_attach(struct avd__json *json, const struct avd__evidence *ev)
{
	if (ev->have_attached) {
		avd__json_open(json, "attach", '{');
		avd__json_cstring(json, "ops", ev->ops);
		avd__json_u64(json, "enable_seq_before", ev->attached.enable_seq_before);
		avd__json_u64(json, "enable_seq", ev->attached.enable_seq);
		avd__json_u64(json, "wall_ns", ev->attached.wall_ns);
		avd__json_u64(json, "cpu_ns", ev->attached.cpu_ns);
		avd__json_bool(json, "switch_all", ev->attached.switch_all != 0);
		avd__json_close(json, '}');
	} else {
		avd__json_null(json, "attach");
	}
	if (ev->have_failure) {
		avd__json_open(json, "failure", '{');
		avd__json_cstring(json, "code", avd_reason_code_name(ev->failure.code));
		avd__json_cstring(json, "reason", ev->failure_reason);
		put_end_of_process(json, ev->failure.exit_status, ev->failure.signal,
				   ev->failure.error);
		avd__json_close(json, '}');
	} else {
		avd__json_null(json, "failure");
	}
}

static void put_phases(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "phases", '[');
	for (uint32_t phase = 1; phase < AVD__ARRAY_SIZE(ev->phase_ns); phase++) {
		if (!ev->phase_ns[phase])
			continue;
		avd__json_open(json, NULL, '{');
		avd__json_cstring(json, "phase", avd_phase_name(phase));
		avd__json_u64(json, "time_ns", ev->phase_ns[phase]);
		avd__json_close(json, '}');
	}
	avd__json_close(json, ']');
	avd__json_cstring(json, "last_phase",
			  ev->last_phase ? avd_phase_name(ev->last_phase) : NULL);
}

static void put_dispatch(struct avd__json *json, const struct avd__evidence *ev)
{
	if (!ev->have_dispatch) {
		avd__json_null(json, "dispatch");
		return;
	}
	avd__json_open(json, "dispatch", '{');
	avd__json_bool(json, "ok", ev->dispatch.ok != 0);
	avd__json_u64(json, "cpus_online", ev->dispatch.cpus_online);
	avd__json_open(json, "cpus_ok", '[');
	for (uint32_t i = 0; i < sizeof(ev->dispatch_cpus) * 8; i++) {
		if (i < ev->dispatch.cpus_online && ev->dispatch_cpus[i / 8] >> (i % 8) & 1)
			avd__json_u64(json, NULL, i);
	}
	avd__json_close(json, ']');
	avd__json_u64(json, "wall_ns", ev->dispatch.wall_ns);
	put_text(json, "reason", ev->dispatch_reason);
	avd__json_cstring(json, "mode", avd__dispatch_mode_name(ev->dispatch.mode));
	avd__json_u64(json, "tasks", ev->dispatch.tasks);
	avd__json_u64(json, "tasks_ok", ev->dispatch.tasks_ok);
	avd__json_u64(json, "rounds", ev->dispatch.rounds);
	avd__json_close(json, '}');
}

static void put_backtrace(struct avd__json *json, const struct avd__evidence *ev)
{
	const char *at = ev->backtrace, *const end = at + ev->backtrace_len;
	avd__json_open(json, "backtrace", '[');
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *const stop = newline ? newline : end;
		avd__json_string(json, NULL, at, (size_t)(stop - at));
		at = newline ? newline + 1 : end;
	}
	avd__json_close(json, ']');
}

static int put_ejection(struct avd__json *json, const struct avd__evidence *ev)
{
	const struct avd_msg_scheduler_exit *exit = &ev->scheduler_exit;
	if (!ev->have_scheduler_exit) {
		avd__json_null(json, "scheduler_exit");
		return 0;
	}
	avd__json_open(json, "scheduler_exit", '{');
	avd__json_u64(json, "kind", exit->exit_kind);
	avd__json_cstring(json, "kind_name", avd__exit_kind_name(exit->exit_kind));
	if (exit->source == AVD_EXIT_FROM_PROBE)
		avd__json_i64(json, "exit_code", exit->exit_code);
	else
		avd__json_null(json, "exit_code");
	avd__json_cstring(json, "source",
			  exit->source == AVD_EXIT_FROM_PROBE ? "probe" : "kernel-log");
	avd__json_cstring(json, "code", avd_reason_code_name(exit->code));
	avd__json_cstring(json, "phase", avd_phase_name(exit->phase));
	put_text(json, "reason", ev->exit_reason);
	put_text(json, "message", ev->exit_message);
	if (exit->phase_ns)
		avd__json_u64(json, "phase_ns", exit->phase_ns);
	else
		avd__json_null(json, "phase_ns");
	put_backtrace(json, ev);
	const int r = put_output(json, "dump", &ev->output[AVD_STREAM_DUMP],
				 ev->output_dropped[AVD_STREAM_DUMP]);
	avd__json_close(json, '}');
	return r;
}

static int put_payload(struct avd__json *json, const struct avd__evidence *ev)
{
	if (!ev->payload_len && !ev->have_payload_exit) {
		avd__json_null(json, "payload");
		return 0;
	}
	avd__json_open(json, "payload", '{');
	put_argv(json, ev->payload, ev->payload_len);
	avd__json_bool(json, "ended", ev->have_payload_exit);
	put_end_of_process(json, ev->have_payload_exit ? ev->payload_exit.exit_status : -1,
			   ev->payload_exit.signal, ev->payload_exit.error);
	if (ev->have_payload_exit)
		avd__json_u64(json, "wall_ns", ev->payload_exit.wall_ns);
	else
		avd__json_null(json, "wall_ns");
	put_text(json, "reason", ev->payload_reason);
	avd__json_cstring(json, "ended_by",
			  ev->have_payload_exit ? avd__payload_end_name(ev->payload_exit.ended_by)
						: "unknown");
	avd__json_bool(json, "left_some", ev->payload_exit.left_some != 0);
	const int r = put_output(json, "stdout", &ev->output[AVD_STREAM_PAYLOAD_STDOUT],
				 ev->output_dropped[AVD_STREAM_PAYLOAD_STDOUT]);
	const int r2 = put_output(json, "stderr", &ev->output[AVD_STREAM_PAYLOAD_STDERR],
				  ev->output_dropped[AVD_STREAM_PAYLOAD_STDERR]);
	avd__json_close(json, '}');
	return r < 0 ? r : r2;
}

static int put_guest(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "guest", '{');
	if (ev->have_hello) {
		avd__json_u64(json, "cpus_online", ev->cpus_online);
		avd__json_u64(json, "slowness_permille", ev->slowness_permille);
	} else {
		avd__json_null(json, "cpus_online");
		avd__json_null(json, "slowness_permille");
	}
	if (ev->have_done)
		avd__json_bool(json, "enabled_at_end", ev->done.enabled_at_end != 0);
	else
		avd__json_null(json, "enabled_at_end");
	if (ev->have_init_failed) {
		avd__json_open(json, "init_failed", '{');
		avd__json_u64(json, "signal", ev->init_failed.signal);
		avd__json_cstring(json, "reason", ev->init_reason);
		avd__json_close(json, '}');
	} else {
		avd__json_null(json, "init_failed");
	}
	const int r = put_output(json, "init_log", &ev->output[AVD_STREAM_INIT],
				 ev->output_dropped[AVD_STREAM_INIT]);
	avd__json_close(json, '}');
	return r;
}

static void put_kernel_log(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "kernel_log", '{');
	avd__json_u64(json, "telling_lines", ev->kernel_lines_total);
	avd__json_open(json, "lines", '[');
	for (uint32_t i = 0; i < ev->kernel_line_count; i++) {
		const struct avd__kernel_line *line = avd__evidence_kernel_line(ev, i);
		avd__json_open(json, NULL, '{');
		avd__json_u64(json, "time_us", line->time_us);
		avd__json_u64(json, "level", line->level);
		avd__json_string(json, "text", line->text, line->len);
		avd__json_close(json, '}');
	}
	avd__json_close(json, ']');
	avd__json_close(json, '}');
}

static void put_end(struct avd__json *json, const struct avd__evidence *ev)
{
	if (!ev->have_end_cause) {
		avd__json_null(json, "end");
		return;
	}
	avd__json_open(json, "end", '{');
	avd__json_cstring(json, "cause", avd_end_cause_name(ev->end_cause.cause));
	avd__json_cstring(json, "code",
			  ev->end_cause.code == AVD_REASON_NONE
				  ? NULL
				  : avd_reason_code_name(ev->end_cause.code));
	put_text(json, "detail", ev->end_detail);
	avd__json_u64(json, "wall_ns", ev->end_cause.wall_ns);
	avd__json_u64(json, "machine_cpu_ns", ev->end_cause.machine_cpu_ns);
	avd__json_close(json, '}');
}

static void put_channel(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "channel", '{');
	avd__json_u64(json, "frames", ev->frames);
	avd__json_u64(json, "bytes", ev->bytes);
	avd__json_u64(json, "gaps", ev->gaps);
	avd__json_u64(json, "skipped_bytes", ev->skipped_bytes);
	avd__json_u64(json, "faults", ev->faults);
	if (*ev->first_fault) {
		avd__json_open(json, "first_fault", '{');
		avd__json_u64(json, "offset", ev->first_fault_offset);
		avd__json_cstring(json, "detail", ev->first_fault);
		avd__json_close(json, '}');
	} else {
		avd__json_null(json, "first_fault");
	}
	avd__json_close(json, '}');
}

int avd__json_evidence(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "evidence", '{');
	int r = put_scheduler(json, ev);
	put_attach(json, ev);
	put_dispatch(json, ev);
	if (r == 0)
		r = put_ejection(json, ev);
	if (r == 0)
		r = put_payload(json, ev);
	avd__json_programs(json, ev);
	put_phases(json, ev);
	if (r == 0)
		r = put_guest(json, ev);
	put_kernel_log(json, ev);
	if (r == 0)
		r = put_output(json, "console", &ev->console, 0);
	put_channel(json, ev);
	put_end(json, ev);
	avd__json_close(json, '}');
	return r;
}
