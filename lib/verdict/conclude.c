// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* State and evidence -> verdict. */
#include <inttypes.h>
#include <string.h>

#include "verdict/internal.h"
#include "verdict/words.h"

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

static void add_fault(struct avd__words *text, const struct avd__evidence *ev)
{
	avd__add_words(text, ": ", ev->first_fault);
	avd__add(text, " at byte %" PRIu64, ev->first_fault_offset);
}

static void add_init_failed(struct avd__words *text, const struct avd__evidence *ev)
{
	avd__add(text, "the guest's init failed");
	avd__add_words(text, ": ", ev->init_reason);
}

/* Where the guest was and how the machine ended. */
static void add_circumstances(struct avd__words *text, const avd_stream *stream)
{
	const struct avd__evidence *const ev = &stream->evidence;
	if (!ev->have_hello && !ev->last_ns) {
		avd__add(text, "; no frame came from the guest");
	} else {
		if (ev->last_phase) {
			avd__add(text, "; last phase %s since ", avd_phase_name(ev->last_phase));
			avd__add_seconds(text, ev->phase_ns[ev->last_phase]);
			avd__add(text, ", last frame at ");
		} else {
			avd__add(text, "; last frame at ");
		}
		avd__add_seconds(text, ev->last_ns);
		avd__add(text, " of guest time");
	}
	if (stream->machine.state == AVD__STATE_PROVEN)
		avd__add(text, "; the gate had its proof, but payload-starting did not follow");
	if (stream->excused)
		avd__add(text, "; a frame is torn: the guest ended while it wrote");
	if (ev->have_end_cause) {
		avd__add(text, "; the machine ended with %s after ",
			 avd_end_cause_name(ev->end_cause.cause));
		avd__add_seconds(text, ev->end_cause.wall_ns);
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

static uint32_t conclude_unconfirmed(const avd_stream *stream, struct avd__words *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	uint32_t code;
	if (is_corrupt(stream)) {
		code = AVD_REASON_CHANNEL_CORRUPT;
		avd__add(text, "the channel broke before the attach was confirmed");
		add_fault(text, ev);
		if (ev->have_end_cause)
			avd__add_words(text, "; ", ev->end_detail);
		if (ev->have_init_failed) {
			avd__add(text, "; ");
			add_init_failed(text, ev);
		}
	} else if (ev->have_init_failed) {
		code = AVD_REASON_GUEST_INIT_FAILED;
		add_init_failed(text, ev);
		if (ev->have_end_cause)
			avd__add_words(text, "; ", ev->end_detail);
	} else if (ev->have_end_cause) {
		code = end_code(&ev->end_cause);
		avd__add(text, "%s before a verdict", machine_lead(code));
		avd__add_words(text, ": ", ev->end_detail);
	} else {
		code = AVD_REASON_TRUNCATED;
		avd__add(text, "%s, without a verdict", unended_text(stream));
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

static uint32_t conclude_failure(const avd_stream *stream, struct avd__words *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const uint32_t code = failure_code(ev);
	if (ev->failure_reason[0])
		avd__add_words(text, "", ev->failure_reason);
	else
		avd__add(text, "%s", avd_reason_code_explain(code));
	return code;
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

static uint32_t tell_machine(const avd_stream *stream, struct avd__words *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const uint32_t code = end_code(&ev->end_cause);
	avd__add(text, "%s after the attach", machine_lead(code));
	avd__add_words(text, ": ", ev->end_detail);
	add_circumstances(text, stream);
	return code;
}

static uint32_t tell_corrupt(const avd_stream *stream, struct avd__words *text)
{
	avd__add(text, "the channel broke after the attach was confirmed");
	add_fault(text, &stream->evidence);
	add_circumstances(text, stream);
	return AVD_REASON_CHANNEL_CORRUPT;
}

static uint32_t tell_topology(const struct avd__evidence *ev, struct avd__words *text)
{
	avd__add(text, "the guest's CPUs are not those that were asked for");
	avd__add_words(text, ": ", ev->topology_difference);
	return AVD_REASON_TOPOLOGY_MISMATCH;
}

/* Why an ATTACHED cell failed; AVD_REASON_NONE if it passed. What the guest says went
 * wrong comes first, then what broke the machine or the channel, then CPUs of another shape,
 * and what is merely missing last: it may be missing for one of the reasons before. */
static uint32_t conclude_result(const avd_stream *stream, struct avd__words *text)
{
	const struct avd__evidence *const ev = &stream->evidence;
	const int recording = (stream->flags & AVD_STREAM_RECORDING) != 0;
	if (ev->have_scheduler_exit)
		return avd__tell_exit(ev, text);
	if (avd__payload_is_bad(ev))
		return avd__tell_payload(ev, text);
	if (ev->have_dispatch && ev->dispatch.ok != 1)
		return avd__tell_dispatch(ev, text);
	if (ev->have_init_failed) {
		add_init_failed(text, ev);
		return AVD_REASON_GUEST_INIT_FAILED;
	}
	if (ev->have_end_cause && end_is_bad(ev))
		return tell_machine(stream, text);
	if (is_corrupt(stream))
		return tell_corrupt(stream, text);
	if (ev->topology_difference[0])
		return tell_topology(ev, text);
	if (!stream->finished || (recording && !ev->have_end_cause)) {
		avd__add(text, "%s", unended_text(stream));
		add_circumstances(text, stream);
		return AVD_REASON_TRUNCATED;
	}
	if (!ev->have_done) {
		avd__add(text, "the guest did not come to its orderly end");
		if (ev->have_end_cause)
			avd__add_words(text, ": ", ev->end_detail);
		add_circumstances(text, stream);
		return AVD_REASON_NO_CLEAN_END;
	}
	if (ev->gaps || ev->faults) /* a torn frame after the guest's last word */
		return tell_corrupt(stream, text);
	if (!ev->done.enabled_at_end) {
		avd__add(text,
			 "the scheduler was no longer enabled and alive when the guest was done");
		return AVD_REASON_NO_CLEAN_END;
	}
	if (ev->payload_len && !ev->have_payload_exit)
		return avd__tell_payload(ev, text);
	if (!ev->have_dispatch && (!ev->have_cell || ev->dispatch_mode != 0))
		return avd__tell_dispatch(ev, text);
	return AVD_REASON_NONE;
}

void avd__conclude(const avd_stream *stream, struct avd_verdict *ret)
{
	const struct avd__evidence *const ev = &stream->evidence;
	struct avd__words reason = {ret->reason, sizeof(ret->reason), 0};
	struct avd__words result = {ret->result_reason, sizeof(ret->result_reason), 0};
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
