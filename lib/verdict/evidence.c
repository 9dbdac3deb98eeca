// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "verdict/evidence.h"

#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "verdict/internal.h"

/* Kernel lines that are kept for good: what went wrong first tells the most. The rest of
 * the room is a ring of the last ones. */
#define KERNEL_LINES_FIRST 16u
#define KERNEL_LINES_RING (AVD__EVIDENCE_KERNEL_LINES - KERNEL_LINES_FIRST)
/* A printk record is at most 1 KiB of text (PRINTKRB_RECORD_MAX, kernel/printk/internal.h);
 * more would only cost time. */
#define KERNEL_LINE_LOOK 1024u

static struct avd_str copy_text(char *out, size_t out_size, struct avd_str text)
{
	const size_t len = avd__escape(out, out_size, text.data, text.len);
	return (struct avd_str){out, len};
}

#define COPY(array, text) copy_text(array, sizeof(array), text)

static void tail_append(struct avd__tail *tail, struct avd_bytes bytes)
{
	const uint8_t *data = bytes.data;
	size_t size = bytes.len;
	tail->total += size;
	if (size >= sizeof(tail->data)) {
		memcpy(tail->data, data + size - sizeof(tail->data), sizeof(tail->data));
		tail->start = 0;
		tail->len = sizeof(tail->data);
		return;
	}
	const size_t end = (tail->start + tail->len) % sizeof(tail->data);
	const size_t first = sizeof(tail->data) - end < size ? sizeof(tail->data) - end : size;
	if (first)
		memcpy(tail->data + end, data, first);
	if (size > first)
		memcpy(tail->data, data + first, size - first);
	const size_t len = tail->len + size;
	if (len > sizeof(tail->data)) {
		tail->start = (uint32_t)((tail->start + len) % sizeof(tail->data));
		tail->len = sizeof(tail->data);
	} else {
		tail->len = (uint32_t)len;
	}
}

size_t avd__tail_copy(const struct avd__tail *tail, char *out)
{
	const size_t to_end = sizeof(tail->data) - tail->start;
	const size_t first = tail->len < to_end ? tail->len : to_end;
	memcpy(out, tail->data + tail->start, first);
	memcpy(out + first, tail->data, tail->len - first);
	return tail->len;
}

/* Items joined by NUL, each ended by one; what does not fit is cut. */
static uint32_t copy_argv(char *out, size_t out_size, struct avd_strv argv)
{
	size_t len = 0;
	struct avd_str item;
	while (len + 1 < out_size && avd_strv_next(&argv, &item)) {
		const size_t room = out_size - len - 1;
		const size_t n = item.len < room ? item.len : room;
		if (n)
			memcpy(out + len, item.data, n);
		len += n;
		out[len++] = '\0';
	}
	return (uint32_t)len;
}

/* A text that says something else than the number beside it is from another release. */
static void take_asked(struct avd__evidence *ev, const struct avd_msg_cell *cell)
{
	char text[AVD__TOPOLOGY_TEXT_MAX];
	struct avd__error ignored;
	if (cell->topology.len >= sizeof(text))
		return;
	memcpy(text, cell->topology.data, cell->topology.len);
	text[cell->topology.len] = '\0';
	ev->have_asked = avd__topology_parse(text, &ev->asked, &ignored) == 0 &&
			 ev->asked.cpus == cell->cpus;
}

static void take_cell(struct avd__evidence *ev, const struct avd_msg_cell *cell)
{
	ev->have_cell = 1;
	COPY(ev->version, cell->version);
	COPY(ev->kernel, cell->kernel);
	COPY(ev->machine, cell->machine);
	COPY(ev->machine_reason, cell->machine_reason);
	COPY(ev->accel, cell->accel);
	COPY(ev->carrier, cell->carrier);
	COPY(ev->topology, cell->topology);
	COPY(ev->release, cell->release); /* hello brings the true one */
	ev->scheduler_len = copy_argv(ev->scheduler, sizeof(ev->scheduler), cell->scheduler);
	ev->payload_len = copy_argv(ev->payload, sizeof(ev->payload), cell->payload);
	ev->cpus = cell->cpus;
	ev->memory_bytes = cell->memory_bytes;
	ev->settle_ms = cell->settle_ms;
	ev->budget_cpu_ms = cell->budget_cpu_ms;
	ev->started_unix_ns = cell->started_unix_ns;
	ev->payload_ms = cell->payload_ms;
	ev->dispatch_mode = cell->dispatch;
	COPY(ev->id, cell->id);
	ev->digest = cell->digest;
	take_asked(ev, cell);
}

static void take_topology(struct avd__evidence *ev, const struct avd_msg_topology *seen)
{
	if (ev->have_topology)
		return; /* what was there at the start is what was booted */
	ev->have_topology = 1;
	ev->seen = *seen;
	while (ev->seen_count < AVD_TOPOLOGY_CPUS_MAX &&
	       avd_topology_next(&ev->seen.cpus, &ev->seen_cpus[ev->seen_count]))
		ev->seen_count++;
	ev->seen.cpus = (struct avd_bytes){0};
	if (ev->have_asked)
		avd__topology_differs(&ev->asked, ev->seen_cpus, ev->seen_count,
				      ev->topology_difference, sizeof(ev->topology_difference));
}

static void take_end_cause(struct avd__evidence *ev, const struct avd_msg_end_cause *end)
{
	ev->have_end_cause = 1;
	ev->end_cause = *end;
	ev->end_cause.detail = COPY(ev->end_detail, end->detail);
	ev->end_cause.sandbox = COPY(ev->sandbox, end->sandbox);
	tail_append(&ev->console, end->console_tail);
	ev->console.total = end->console_bytes;
	ev->end_cause.console_tail = (struct avd_bytes){0};
}

static void take_failure(struct avd__evidence *ev, const struct avd_message *message)
{
	/* The deciding frame: the first one of the kind that comes first in precedence. */
	if (ev->have_failure &&
	    (ev->failure_kind == AVD_MSG_SCHEDULER_DIED || message->kind == ev->failure_kind))
		return;
	ev->have_failure = 1;
	ev->failure_kind = message->kind;
	ev->failure = message->u.failure;
	ev->failure.reason = COPY(ev->failure_reason, message->u.failure.reason);
}

static void take_dispatch(struct avd__evidence *ev, const struct avd_msg_dispatch *dispatch)
{
	if (ev->have_dispatch && ev->dispatch.ok != 1)
		return; /* a later success does not undo a failure */
	ev->have_dispatch = 1;
	ev->dispatch = *dispatch;
	struct avd_bytes *const cpus = &ev->dispatch.cpus_ok;
	if (cpus->len > sizeof(ev->dispatch_cpus))
		cpus->len = sizeof(ev->dispatch_cpus);
	memset(ev->dispatch_cpus, 0, sizeof(ev->dispatch_cpus));
	if (cpus->len)
		memcpy(ev->dispatch_cpus, cpus->data, cpus->len);
	cpus->data = ev->dispatch_cpus;
	ev->dispatch.reason = COPY(ev->dispatch_reason, dispatch->reason);
}

static void take_exit(struct avd__evidence *ev, const struct avd_msg_scheduler_exit *gone)
{
	if (ev->have_scheduler_exit)
		return; /* what came first is the cause, the rest follows from it */
	ev->have_scheduler_exit = 1;
	ev->scheduler_exit = *gone;
	ev->backtrace_len =
		(uint32_t)(gone->backtrace.len < sizeof(ev->backtrace) ? gone->backtrace.len
								       : sizeof(ev->backtrace));
	if (ev->backtrace_len)
		memcpy(ev->backtrace, gone->backtrace.data, ev->backtrace_len);
	ev->scheduler_exit.backtrace =
		(struct avd_str){.data = ev->backtrace, .len = ev->backtrace_len};
	ev->scheduler_exit.reason = COPY(ev->exit_reason, gone->reason);
	ev->scheduler_exit.message = COPY(ev->exit_message, gone->message);
}

static int line_tells(struct avd_bytes line)
{
	static const char *const words[] = {
		"sched_ext",	 "scx_",
		"panic",	 "Oops",
		"BUG:",		 "WARNING:",
		"RIP:",		 "stall",
		"watchdog",	 "general protection",
		"lockup",	 "Killed process",
		"double fault",	 "Call Trace",
		"hung task",	 "Out of memory",
		"attachverdict", "Attempted to kill init",
	};
	const size_t look = line.len < KERNEL_LINE_LOOK ? line.len : KERNEL_LINE_LOOK;
	for (size_t i = 0; look && i < AVD__ARRAY_SIZE(words); i++) {
		if (memmem(line.data, look, words[i], strlen(words[i])))
			return 1;
	}
	return 0;
}

static void take_kernel_log(struct avd__evidence *ev, const struct avd_msg_kernel_log *log)
{
	if (!line_tells(log->bytes))
		return;
	ev->kernel_lines_total++;
	uint32_t at = ev->kernel_line_count;
	if (at < AVD__EVIDENCE_KERNEL_LINES) {
		ev->kernel_line_count++;
	} else {
		at = KERNEL_LINES_FIRST + ev->kernel_line_next;
		ev->kernel_line_next = (ev->kernel_line_next + 1) % KERNEL_LINES_RING;
	}
	struct avd__kernel_line *const line = &ev->kernel_lines[at];
	memset(line, 0, sizeof(*line));
	line->time_us = log->log_time_us;
	line->level = log->level;
	line->len = (uint32_t)avd__escape(line->text, sizeof(line->text), log->bytes.data,
					  log->bytes.len);
}

const struct avd__kernel_line *avd__evidence_kernel_line(const struct avd__evidence *evidence,
							 uint32_t i)
{
	if (i >= KERNEL_LINES_FIRST)
		i = KERNEL_LINES_FIRST +
		    (i - KERNEL_LINES_FIRST + evidence->kernel_line_next) % KERNEL_LINES_RING;
	return &evidence->kernel_lines[i];
}

static void take_phase(struct avd__evidence *ev, uint32_t phase, uint64_t time_ns)
{
	if (phase == 0 || phase >= AVD__ARRAY_SIZE(ev->phase_ns))
		return; /* from the future: nothing here knows it */
	ev->last_phase = phase;
	if (!ev->phase_ns[phase])
		ev->phase_ns[phase] = time_ns;
}

static void take_log(struct avd__evidence *ev, const struct avd_msg_log *log)
{
	if (log->stream == 0 || log->stream >= AVD__ARRAY_SIZE(ev->output))
		return;
	tail_append(&ev->output[log->stream], log->bytes);
	if (log->dropped > ev->output_dropped[log->stream])
		ev->output_dropped[log->stream] = log->dropped;
}

static void take_program(struct avd__evidence *ev, const struct avd_msg_program *figures)
{
	ev->programs_total++;
	ev->programs_rejected += figures->error != 0;
	if (ev->program_count == AVD__EVIDENCE_PROGRAMS)
		return;
	struct avd__program *const program = &ev->programs[ev->program_count++];
	program->figures = *figures;
	program->figures.name = (struct avd_bytes){0};
	avd__escape(program->name, sizeof(program->name), figures->name.data, figures->name.len);
}

static void take_attached(struct avd__evidence *ev, const struct avd_msg_attached *attached)
{
	ev->have_attached = 1;
	ev->attached = *attached;
	ev->attached.ops = COPY(ev->ops, attached->ops);
}

static void take_payload_exit(struct avd__evidence *ev, const struct avd_msg_payload_exit *gone)
{
	const struct avd_msg_payload_exit *const before = &ev->payload_exit;
	if (before->exit_status || before->signal || before->error || before->ended_by)
		return; /* a later success does not undo a failure */
	ev->have_payload_exit = 1;
	ev->payload_exit = *gone;
	ev->payload_exit.reason = COPY(ev->payload_reason, gone->reason);
}

static void take_hello(struct avd__evidence *ev, const struct avd_msg_hello *hello)
{
	ev->have_hello = 1;
	COPY(ev->release, hello->release);
	ev->cpus_online = hello->cpus_online;
	ev->slowness_permille = hello->slowness_permille;
	if (hello->carrier.len)
		COPY(ev->carrier, hello->carrier);
}

static void take_guest(struct avd__evidence *ev, const struct avd_message *message)
{
	switch (message->kind) {
	case AVD_MSG_HELLO:
		take_hello(ev, &message->u.hello);
		break;
	case AVD_MSG_PHASE:
		take_phase(ev, message->u.phase.phase, message->time_ns);
		break;
	case AVD_MSG_SCHEDULER_STARTED:
		ev->have_started = 1;
		ev->pid = message->u.started.pid;
		break;
	case AVD_MSG_SCHEDULER_ATTACHED:
		take_attached(ev, &message->u.attached);
		break;
	case AVD_MSG_SCHEDULER_DIED:
	case AVD_MSG_SCHEDULER_NOT_ATTACHED:
		take_failure(ev, message);
		break;
	case AVD_MSG_PAYLOAD_STARTING:
		ev->have_payload_starting = 1;
		break;
	case AVD_MSG_DISPATCH:
		take_dispatch(ev, &message->u.dispatch);
		break;
	case AVD_MSG_SCHEDULER_EXIT:
		take_exit(ev, &message->u.scheduler_exit);
		break;
	case AVD_MSG_PAYLOAD_EXIT:
		take_payload_exit(ev, &message->u.payload_exit);
		break;
	case AVD_MSG_PROGRAM:
		take_program(ev, &message->u.program);
		break;
	case AVD_MSG_LOG:
		take_log(ev, &message->u.log);
		break;
	case AVD_MSG_KERNEL_LOG:
		take_kernel_log(ev, &message->u.kernel_log);
		break;
	case AVD_MSG_DONE:
		ev->have_done = 1;
		ev->done = message->u.done;
		break;
	case AVD_MSG_TOPOLOGY:
		take_topology(ev, &message->u.topology);
		break;
	case AVD_MSG_INIT_FAILED:
		ev->have_init_failed = 1;
		ev->init_failed = message->u.init_failed;
		ev->init_failed.reason = COPY(ev->init_reason, message->u.init_failed.reason);
		break;
	default:
		break;
	}
}

void avd__evidence_take(struct avd__evidence *ev, const struct avd_message *message)
{
	if (message->kind == AVD_MSG_CELL) {
		take_cell(ev, &message->u.cell);
	} else if (message->kind == AVD_MSG_END_CAUSE) {
		take_end_cause(ev, &message->u.end_cause);
	} else {
		if (!ev->first_ns)
			ev->first_ns = message->time_ns;
		if (message->time_ns)
			ev->last_ns = message->time_ns;
		take_guest(ev, message);
	}
}

void avd__evidence_fault(struct avd__evidence *ev, const char *detail, uint64_t offset)
{
	if (ev->first_fault[0])
		return;
	avd__escape(ev->first_fault, sizeof(ev->first_fault), detail, strlen(detail));
	ev->first_fault_offset = offset;
}

const struct avd__evidence *avd__stream_evidence(const avd_stream *stream)
{
	return &stream->evidence;
}
