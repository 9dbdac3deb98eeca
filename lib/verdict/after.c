// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the guest tells went wrong after the attach, in words. */
#include <inttypes.h>

#include "verdict/words.h"

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

uint32_t avd__tell_exit(const struct avd__evidence *ev, struct avd__words *text)
{
	const struct avd_msg_scheduler_exit *const gone = &ev->scheduler_exit;
	const uint32_t code = exit_code(gone);
	avd__add(text, "%s in phase %s",
		 code == AVD_REASON_EJECTED ? "the kernel ejected the scheduler"
					    : "the scheduler ended",
		 avd_phase_name(gone->phase));
	if (gone->phase_ns) {
		avd__add(text, ", ");
		avd__add_seconds(text, gone->phase_ns);
		avd__add(text, " after it began");
	}
	avd__add_words(text, ": ", ev->exit_reason);
	avd__add_words(text, ": ", ev->exit_message);
	if (gone->exit_kind && gone->source == AVD_EXIT_FROM_PROBE)
		avd__add(text, " (exit kind %" PRIu64 ", code %" PRId64 ")", gone->exit_kind,
			 gone->exit_code);
	else if (gone->exit_kind)
		avd__add(text, " (exit kind %" PRIu64 ")", gone->exit_kind);
	/* Whom it starved until then. */
	if (gone->phase == AVD_PHASE_DISPATCH && ev->have_dispatch && ev->dispatch.ok != 1)
		avd__add_words(text, "; ", ev->dispatch_reason);
	return code;
}

int avd__payload_is_bad(const struct avd__evidence *ev)
{
	const struct avd_msg_payload_exit *const gone = &ev->payload_exit;
	return ev->have_payload_exit && (gone->exit_status != 0 || gone->signal || gone->error ||
					 gone->ended_by != AVD_PAYLOAD_ENDED_ITSELF);
}

uint32_t avd__tell_payload(const struct avd__evidence *ev, struct avd__words *text)
{
	const struct avd_msg_payload_exit *const gone = &ev->payload_exit;
	if (!ev->have_payload_exit) {
		avd__add(text, "the guest did not tell how the payload ended");
	} else if (gone->error) {
		avd__add(text, "the payload could not be started");
		if (ev->payload_reason[0])
			avd__add_words(text, ": ", ev->payload_reason);
		else
			avd__add(text, " (errno %" PRIu32 ")", gone->error);
	} else if (gone->ended_by == AVD_PAYLOAD_TIME_LIMIT) {
		avd__add(text, "the payload was still running when its time limit of ");
		avd__add_seconds(text, ev->payload_ms * UINT64_C(1000000));
		avd__add(text, " was over");
	} else if (gone->ended_by != AVD_PAYLOAD_ENDED_ITSELF) {
		avd__add(text, "the payload was ended because its scheduler was gone");
	} else if (gone->signal) {
		avd__add(text, "the payload was killed by signal %" PRIu32, gone->signal);
	} else {
		avd__add(text, "the payload exited with status %" PRId32, gone->exit_status);
	}
	return AVD_REASON_PAYLOAD_FAILED;
}

uint32_t avd__tell_dispatch(const struct avd__evidence *ev, struct avd__words *text)
{
	if (!ev->have_dispatch)
		avd__add(text, "the guest did not tell whether every CPU made progress");
	else if (ev->dispatch_reason[0])
		avd__add_words(text, "", ev->dispatch_reason);
	else
		avd__add(text, "not every CPU or task made progress under the scheduler");
	return AVD_REASON_NO_DISPATCH;
}
