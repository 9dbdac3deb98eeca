// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "reason.h"

#include <attachverdict/verdict.h>
#include <inttypes.h>
#include <string.h>

#include "clock.h"

const char *avd__reason_name(uint32_t code)
{
	switch (code) {
	case AVD_REASON_EXEC_FAILED:
		return "exec-failed";
	case AVD_REASON_EXITED:
		return "exited";
	case AVD_REASON_KILLED_BY_SIGNAL:
		return "killed-by-signal";
	case AVD_REASON_VERIFIER_REJECTED:
		return "verifier-rejected";
	case AVD_REASON_MISSING_KFUNC:
		return "missing-kfunc";
	case AVD_REASON_MISSING_MEMBER:
		return "missing-member";
	case AVD_REASON_NO_SCHED_EXT:
		return "no-sched-ext";
	case AVD_REASON_BUSY:
		return "busy";
	case AVD_REASON_INIT_FAILED:
		return "init-failed";
	case AVD_REASON_EJECTED_AT_ATTACH:
		return "ejected-at-attach";
	case AVD_REASON_TIMEOUT:
		return "timeout";
	default:
		return "unknown";
	}
}

void avd__reason_head(struct avd__text *text, uint32_t code, const struct avd__scx_reading *scx,
		      uint64_t seq_before, uint64_t wall_ns, uint64_t cpu_ns)
{
	avd__text_add(text, "cause=%s state=%s ops=", avd__reason_name(code),
		      avd__scx_state_name(scx->state));
	if (!scx->ops_there)
		avd__text_add(text, "missing");
	else if (!scx->ops[0])
		avd__text_add(text, "empty");
	else
		avd__text_quote(text, scx->ops, strlen(scx->ops));
	avd__text_add(text,
		      " enable_seq=%" PRIu64 "->%" PRIu64 " wall_ms=%" PRIu64 " cpu_ms=%" PRIu64,
		      seq_before, scx->enable_seq, wall_ns / AVD__NS_PER_MS,
		      cpu_ns / AVD__NS_PER_MS);
}

static void quote_line(struct avd__text *text, const struct avd__line *line)
{
	avd__text_quote(text, line->text, line->len);
}

void avd__reason_kernel(struct avd__text *text, const struct avd__kernel_facts *kernel)
{
	if (!kernel->disabled)
		return;
	avd__text_add(text, "; the kernel disabled scheduler ");
	quote_line(text, &kernel->name);
	avd__text_add(text, ": ");
	quote_line(text, &kernel->reason);
	if (kernel->message.len) {
		avd__text_add(text, ": ");
		quote_line(text, &kernel->message);
	}
}

void avd__reason_output(struct avd__text *text, const struct avd__output_facts *output)
{
	if (output->code == AVD_REASON_VERIFIER_REJECTED && output->verifier_line.len) {
		avd__text_add(text, "; the verifier rejected program ");
		quote_line(text, &output->verifier_program);
		avd__text_add(text, ": ");
		quote_line(text, &output->verifier_line);
	} else if (output->code) {
		avd__text_add(text, "; output: ");
		quote_line(text, &output->telling);
	} else if (output->last.len) {
		avd__text_add(text, "; last output: ");
		quote_line(text, &output->last);
	}
}

void avd__reason_exit(struct avd__text *text, const struct avd__exit *exit)
{
	if (exit->signal)
		avd__text_add(text, "; killed by signal %u (%s)", exit->signal,
			      strsignal((int)exit->signal));
	else if (exit->status >= 0)
		avd__text_add(text, "; exit status %d", exit->status);
}
