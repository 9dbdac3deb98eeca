// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* State and evidence -> verdict. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "verdict/internal.h"

/* Text of a verdict: bounded, always ended by NUL. */
struct text {
	char *out;
	size_t size;
	size_t len;
};

static void AVD_PRINTF(2, 3) add(struct text *text, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const int n = vsnprintf(text->out + text->len, text->size - text->len, fmt, args);
	va_end(args);
	if (n > 0)
		text->len =
			(size_t)n < text->size - text->len ? text->len + (size_t)n : text->size - 1;
}

/* Guest's words. Escaped already as evidence, but cut here at a whole character. */
static void add_words(struct text *text, const char *before, const char *words)
{
	if (!words[0])
		return;
	add(text, "%s", before);
	text->len +=
		avd__escape(text->out + text->len, text->size - text->len, words, strlen(words));
}

static void add_seconds(struct text *text, uint64_t ns)
{
	add(text, "%" PRIu64 ".%03" PRIu64 " s", ns / UINT64_C(1000000000),
	    ns / UINT64_C(1000000) % 1000);
}

static int is_machine_reason(uint32_t code)
{
	switch (code) {
	case AVD_REASON_PANIC:
	case AVD_REASON_OOPS:
	case AVD_REASON_WATCHDOG:
	case AVD_REASON_TRIPLE_FAULT:
	case AVD_REASON_GUEST_RESET:
	case AVD_REASON_GUEST_SHUTDOWN:
	case AVD_REASON_MACHINE_ERROR:
	case AVD_REASON_HOST_STOP:
		return 1;
	default:
		return 0;
	}
}

/* The machine's end as a reason code. */
static uint32_t end_code(const struct avd_msg_end_cause *end)
{
	if (is_machine_reason(end->code))
		return end->code;
	switch (end->cause) {
	case AVD_END_GUEST_RESET:
		return AVD_REASON_GUEST_RESET;
	case AVD_END_GUEST_SHUTDOWN:
		return AVD_REASON_GUEST_SHUTDOWN;
	case AVD_END_TRIPLE_FAULT:
		return AVD_REASON_TRIPLE_FAULT;
	case AVD_END_WATCHDOG:
		return AVD_REASON_WATCHDOG;
	case AVD_END_HOST_STOP:
		return AVD_REASON_HOST_STOP;
	default: /* vcpu-error, spawn-error, machine-killed, unknown */
		return AVD_REASON_MACHINE_ERROR;
	}
}

/* Broken by more than a frame that the guest's own end cut off. */
static int is_corrupt(const avd_stream *stream)
{
	return stream->evidence.faults + stream->evidence.gaps > stream->excused;
}

static void add_fault(struct text *text, const struct avd__evidence *ev)
{
	add_words(text, ": ", ev->first_fault);
	add(text, " at byte %" PRIu64, ev->first_fault_offset);
}

static void add_init_failed(struct text *text, const struct avd__evidence *ev)
{
	add(text, "the guest's init failed");
	add_words(text, ": ", ev->init_reason);
}

/* Where the guest was and how the machine ended. */
static void add_circumstances(struct text *text, const avd_stream *stream)
{
	const struct avd__evidence *const ev = &stream->evidence;
	if (!ev->have_hello && !ev->last_ns) {
		add(text, "; no frame came from the guest");
	} else {
		if (ev->last_phase) {
			add(text, "; last phase %s since ", avd_phase_name(ev->last_phase));
			add_seconds(text, ev->phase_ns[ev->last_phase]);
			add(text, ", last frame at ");
		} else {
			add(text, "; last frame at ");
		}
		add_seconds(text, ev->last_ns);
		add(text, " of guest time");
	}
	if (stream->machine.state == AVD__STATE_PROVEN)
		add(text, "; the gate had its proof, but payload-starting did not follow");
	if (stream->excused)
		add(text, "; a frame is torn: the guest ended while it wrote");
	if (ev->have_end_cause) {
		add(text, "; the machine ended with %s after ",
		    avd_end_cause_name(ev->end_cause.cause));
		add_seconds(text, ev->end_cause.wall_ns);
	}
}

static const char *machine_lead(uint32_t code)
{
	switch (code) {
	case AVD_REASON_PANIC:
		return "the guest's kernel panicked";
	case AVD_REASON_OOPS:
		return "the guest's kernel oopsed";
	case AVD_REASON_WATCHDOG:
		return "the guest made no progress and the watchdog ended it";
	case AVD_REASON_TRIPLE_FAULT:
		return "the guest's CPU triple-faulted";
	case AVD_REASON_GUEST_RESET:
		return "the guest reset";
	case AVD_REASON_GUEST_SHUTDOWN:
		return "the guest powered off";
	case AVD_REASON_HOST_STOP:
		return "the caller stopped the machine";
	default:
		return "the machine failed";
	}
}

static const char *unended_text(const avd_stream *stream)
{
	if (!stream->finished)
		return "the stream has not ended yet";
	if (stream->flags & AVD_STREAM_RECORDING)
		return "the recording ends without the machine's end-cause frame";
	return "the stream ended early";
}

static uint32_t conclude_unconfirmed(const avd_stream *stream, struct text *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	uint32_t code;
	if (is_corrupt(stream)) {
		code = AVD_REASON_CHANNEL_CORRUPT;
		add(text, "the channel broke before the attach was confirmed");
		add_fault(text, ev);
		if (ev->have_end_cause)
			add_words(text, "; ", ev->end_detail);
		if (ev->have_init_failed) {
			add(text, "; ");
			add_init_failed(text, ev);
		}
	} else if (ev->have_init_failed) {
		code = AVD_REASON_GUEST_INIT_FAILED;
		add_init_failed(text, ev);
		if (ev->have_end_cause)
			add_words(text, "; ", ev->end_detail);
	} else if (ev->have_end_cause) {
		code = end_code(&ev->end_cause);
		add(text, "%s before a verdict", machine_lead(code));
		add_words(text, ": ", ev->end_detail);
	} else {
		code = AVD_REASON_TRUNCATED;
		add(text, "%s, without a verdict", unended_text(stream));
	}
	add_circumstances(text, stream);
	return code;
}

/* The guest's code if it can be one of a failure frame, else what the frame's facts say. */
static uint32_t failure_code(const struct avd__evidence *ev)
{
	const struct avd_msg_failure *const failure = &ev->failure;
	if (failure->code >= AVD_REASON_EXEC_FAILED && failure->code <= AVD_REASON_TIMEOUT)
		return failure->code;
	if (ev->failure_kind == AVD_MSG_SCHEDULER_NOT_ATTACHED)
		return AVD_REASON_TIMEOUT;
	if (failure->error)
		return AVD_REASON_EXEC_FAILED;
	return failure->signal ? AVD_REASON_KILLED_BY_SIGNAL : AVD_REASON_EXITED;
}

static uint32_t conclude_failure(const avd_stream *stream, struct text *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const uint32_t code = failure_code(ev);
	if (ev->failure_reason[0])
		add_words(text, "", ev->failure_reason);
	else
		add(text, "%s", avd_reason_code_explain(code));
	return code;
}

static uint32_t exit_code(const struct avd_msg_scheduler_exit *gone)
{
	/* enum scx_exit_kind (kernel/sched/ext_internal.h): 64 and 65 are orderly ends by user
	 * space and by BPF; above them the kernel or its operator threw the scheduler out. */
	enum { SCX_EXIT_UNREG_BPF = 65 };
	if (gone->code == AVD_REASON_EJECTED || gone->code == AVD_REASON_SCHEDULER_EXITED)
		return gone->code;
	return gone->exit_kind > SCX_EXIT_UNREG_BPF ? AVD_REASON_EJECTED
						    : AVD_REASON_SCHEDULER_EXITED;
}

static uint32_t tell_exit(const struct avd__evidence *ev, struct text *text)
{
	const uint32_t code = exit_code(&ev->scheduler_exit);
	add(text, "%s in phase %s",
	    code == AVD_REASON_EJECTED ? "the kernel ejected the scheduler" : "the scheduler ended",
	    avd_phase_name(ev->scheduler_exit.phase));
	add_words(text, ": ", ev->exit_reason);
	add_words(text, ": ", ev->exit_message);
	if (ev->scheduler_exit.exit_kind)
		add(text, " (exit kind %" PRIu64 ", code %" PRId64 ")",
		    ev->scheduler_exit.exit_kind, ev->scheduler_exit.exit_code);
	return code;
}

static int payload_is_bad(const struct avd__evidence *ev)
{
	const struct avd_msg_payload_exit *const gone = &ev->payload_exit;
	return ev->have_payload_exit && (gone->exit_status != 0 || gone->signal || gone->error);
}

static uint32_t tell_payload(const struct avd__evidence *ev, struct text *text)
{
	const struct avd_msg_payload_exit *const gone = &ev->payload_exit;
	if (!ev->have_payload_exit)
		add(text, "the guest did not tell how the payload ended");
	else if (gone->error)
		add(text, "the payload could not be started (errno %" PRIu32 ")", gone->error);
	else if (gone->signal)
		add(text, "the payload was killed by signal %" PRIu32, gone->signal);
	else
		add(text, "the payload exited with status %" PRId32, gone->exit_status);
	return AVD_REASON_PAYLOAD_FAILED;
}

static uint32_t tell_dispatch(const struct avd__evidence *ev, struct text *text)
{
	if (!ev->have_dispatch)
		add(text, "the guest did not tell whether every CPU made progress");
	else if (ev->dispatch_reason[0])
		add_words(text, "", ev->dispatch_reason);
	else
		add(text, "not every CPU or task made progress under the scheduler");
	return AVD_REASON_NO_DISPATCH;
}

/* The machine did not end as the guest's orderly end makes it end. What the host takes for
 * a panic is not heard after done: it may stem from what a scheduler printed. */
static int end_is_bad(const struct avd__evidence *ev)
{
	const uint32_t code = end_code(&ev->end_cause);
	if (ev->end_cause.cause != AVD_END_GUEST_RESET &&
	    ev->end_cause.cause != AVD_END_GUEST_SHUTDOWN)
		return 1;
	return !ev->have_done && code != AVD_REASON_GUEST_RESET &&
	       code != AVD_REASON_GUEST_SHUTDOWN;
}

static uint32_t tell_machine(const avd_stream *stream, struct text *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const uint32_t code = end_code(&ev->end_cause);
	add(text, "%s after the attach", machine_lead(code));
	add_words(text, ": ", ev->end_detail);
	add_circumstances(text, stream);
	return code;
}

static uint32_t tell_corrupt(const avd_stream *stream, struct text *text)
{
	add(text, "the channel broke after the attach was confirmed");
	add_fault(text, &stream->evidence);
	add_circumstances(text, stream);
	return AVD_REASON_CHANNEL_CORRUPT;
}

/* Why an ATTACHED cell failed; AVD_REASON_NONE if it passed. What the guest says went
 * wrong comes first, then what broke the machine or the channel, and what is merely
 * missing last: it may be missing for one of the reasons before. */
static uint32_t conclude_result(const avd_stream *stream, struct text *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const int recording = (stream->flags & AVD_STREAM_RECORDING) != 0;
	if (ev->have_scheduler_exit)
		return tell_exit(ev, text);
	if (payload_is_bad(ev))
		return tell_payload(ev, text);
	if (ev->have_dispatch && ev->dispatch.ok != 1)
		return tell_dispatch(ev, text);
	if (ev->have_init_failed) {
		add_init_failed(text, ev);
		return AVD_REASON_GUEST_INIT_FAILED;
	}
	if (ev->have_end_cause && end_is_bad(ev))
		return tell_machine(stream, text);
	if (is_corrupt(stream))
		return tell_corrupt(stream, text);
	if (!stream->finished || (recording && !ev->have_end_cause)) {
		add(text, "%s", unended_text(stream));
		add_circumstances(text, stream);
		return AVD_REASON_TRUNCATED;
	}
	if (!ev->have_done) {
		add(text, "the guest did not come to its orderly end");
		if (ev->have_end_cause)
			add_words(text, ": ", ev->end_detail);
		add_circumstances(text, stream);
		return AVD_REASON_NO_CLEAN_END;
	}
	if (ev->gaps || ev->faults) /* a torn frame after the guest's last word */
		return tell_corrupt(stream, text);
	if (!ev->done.enabled_at_end) {
		add(text, "the scheduler was no longer enabled and alive when the guest was done");
		return AVD_REASON_NO_CLEAN_END;
	}
	if (ev->payload_len && !ev->have_payload_exit)
		return tell_payload(ev, text);
	if (!ev->have_dispatch && (!ev->have_cell || ev->dispatch_mode != 0))
		return tell_dispatch(ev, text);
	return AVD_REASON_NONE;
}

void avd__conclude(const avd_stream *stream, struct avd_verdict *ret)
{
	const struct avd__evidence *const ev = &stream->evidence;
	struct text reason = {ret->reason, sizeof(ret->reason), 0};
	struct text result = {ret->result_reason, sizeof(ret->result_reason), 0};
	memset(ret, 0, sizeof(*ret));
	ret->outcome = avd__state_outcome(stream->machine.state);
	if (ev->have_end_cause && ev->end_cause.cause <= AVD_END_MACHINE_KILLED)
		ret->end_cause = ev->end_cause.cause;
	if (ret->outcome == AVD_OUTCOME_ATTACHED) {
		ret->result_code = conclude_result(stream, &result);
		ret->result =
			ret->result_code == AVD_REASON_NONE ? AVD_RESULT_PASSED : AVD_RESULT_FAILED;
		return;
	}
	ret->reason_code = ret->outcome == AVD_OUTCOME_UNCONFIRMED
				   ? conclude_unconfirmed(stream, &reason)
				   : conclude_failure(stream, &reason);
	ret->result_code = ret->reason_code;
	memcpy(ret->result_reason, ret->reason, sizeof(ret->reason));
}
