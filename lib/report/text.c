// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/format.h"
#include "report/hint.h"

static const char *outcome_color(uint32_t outcome)
{
	switch (outcome) {
	case AVD_OUTCOME_ATTACHED:
		return AVD__TEXT_GREEN;
	case AVD_OUTCOME_DIED:
	case AVD_OUTCOME_NOT_ATTACHED:
		return AVD__TEXT_RED;
	default:
		return AVD__TEXT_YELLOW;
	}
}

/* ATTACHED: scheduler "fifo" was enabled on 7.3.4-cloud-amd64, 412 ms after its start */
static void put_proof(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;

	avd__buf_puts(out, ": scheduler \"");
	avd__buf_escape(out, ev->ops, strlen(ev->ops));
	avd__buf_puts(out, "\" was enabled on ");
	avd__buf_escape(out, ev->release, strlen(ev->release));
	avd__buf_puts(out, ", ");
	avd__put_duration(out, ev->attached.wall_ns);
	avd__buf_puts(out, " after its start\n");
}

/* What a passed result stands on, beside the attach. */
static void put_passed(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;

	if (ev->have_dispatch && ev->dispatch.ok)
		avd__buf_printf(out, ": every CPU ran tasks (%" PRIu32 ")",
				ev->dispatch.cpus_online);
	else
		avd__buf_puts(out, ": dispatch was not asked for");
	if (ev->have_payload_exit)
		avd__buf_puts(out, ", payload exited 0");
	avd__buf_puts(out, ", still enabled at the end\n");
}

static int put_verdict(struct avd__text *text)
{
	const struct avd_verdict *verdict = text->verdict;
	struct avd__buf *out = &text->out;

	avd__text_colored(text, outcome_color(verdict->outcome),
			  avd_outcome_name(verdict->outcome));
	if (verdict->outcome == AVD_OUTCOME_ATTACHED) {
		put_proof(text);
		avd__text_colored(text,
				  verdict->result == AVD_RESULT_PASSED ? AVD__TEXT_GREEN
								       : AVD__TEXT_RED,
				  avd_result_name(verdict->result));
		if (verdict->result == AVD_RESULT_PASSED)
			put_passed(text);
		else
			avd__buf_printf(out, " (%s): %s\n",
					avd_reason_code_name(verdict->result_code),
					verdict->result_reason);
	} else {
		avd__buf_printf(out, " (%s): ", avd_reason_code_name(verdict->reason_code));
		const int r = verdict->reason_code == AVD_REASON_VERIFIER_REJECTED
				      ? avd__put_refusal(out, text->ev)
				      : 0;
		if (r < 0)
			return r;
		/* The gate's own words follow. */
		avd__buf_printf(out, "%s%s\n", r ? "\n" : "", verdict->reason);
	}
	const char *hint = avd__hint(text->ev, verdict);
	if (*hint)
		avd__buf_printf(out, "hint: %s\n", hint);
	avd__buf_puts(out, "\n");
	return 0;
}

int avd_report_text(const avd_stream *stream, uint32_t flags, char **ret_text, size_t *ret_size)
{
	struct avd_verdict verdict;

	if (!stream || !ret_text)
		return -EINVAL;
	int r = avd_stream_verdict(stream, &verdict);
	if (r < 0)
		return r;
	struct avd__text text = {
		.ev = avd__stream_evidence(stream),
		.verdict = &verdict,
		.color = !!(flags & AVD_REPORT_COLOR),
		.verbose = !!(flags & AVD_REPORT_VERBOSE),
	};
	r = put_verdict(&text);
	if (r == 0) {
		avd__text_facts(&text);
		r = avd__text_quotes(&text);
	}
	if (r < 0) {
		avd__buf_free(&text.out);
		return r;
	}
	return avd__buf_take(&text.out, ret_text, ret_size);
}
