// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The verifier's last lines (print_verification_stats() in kernel/bpf/verifier.c). */
#include <string.h>

#include "base/util.h"
#include "verifier/log.h"

static void from_log(struct avd__verified *program, uint32_t figure, uint64_t value)
{
	avd__program_figure(program, figure, value, AVD_FIGURE_FROM_LOG);
}

/* "processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 ..." */
static int processed(struct avd_str text, struct avd__verified *program)
{
	static const struct {
		const char *word;
		uint32_t figure;
	} rest[] = {
		{" max_states_per_insn ", AVD_FIGURE_MAX_STATES_PER_INSN},
		{" total_states ", AVD_FIGURE_TOTAL_STATES},
		{" peak_states ", AVD_FIGURE_PEAK_STATES},
		{" mark_read ", AVD_FIGURE_MARK_READ},
	};
	uint64_t number;
	if (!avd__take_number(&text, &number) || !avd__starts_with(text, " insns (limit "))
		return 0;
	from_log(program, AVD_FIGURE_PROCESSED_INSNS, number);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(rest); i++) {
		const size_t at = avd__find(text, rest[i].word);
		if (at == SIZE_MAX)
			continue;
		struct avd_str value = avd__skip(text, at + strlen(rest[i].word));
		if (avd__take_number(&value, &number))
			from_log(program, rest[i].figure, number);
	}
	return 1;
}

/* "8+0+16", "8+0 max 8" (since 7.2); "max 8" alone (7.3), where each subprogram has a line */
static void stack_depth(struct avd_str text, struct avd__verified *program)
{
	uint64_t sum = 0, depth;
	int any = 0;
	while (avd__take_number(&text, &depth)) {
		any = 1;
		if (__builtin_add_overflow(sum, depth, &sum))
			return;
		if (!avd__take(&text, "+"))
			break;
	}
	if (any)
		from_log(program, AVD_FIGURE_STACK_DEPTH, sum);
}

/* "subprog 2 (weigh) static insns_self 161 insns_total 161 stack 0" (7.3) */
static void subprogram(struct avd_str text, struct avd__vlog *log, struct avd__verified *program)
{
	const char *blank = memrchr(text.data, ' ', text.len);
	if (!blank || avd__find(text, " insns_self ") == SIZE_MAX)
		return;
	struct avd_str head = {text.data, (size_t)(blank - text.data)};
	struct avd_str value = avd__skip(text, head.len + 1);
	uint64_t depth;
	if (!avd__ends_with(head, " stack") || !avd__take_number(&value, &depth) || value.len ||
	    __builtin_add_overflow(log->stack_sum, depth, &log->stack_sum))
		return;
	from_log(program, AVD_FIGURE_STACK_DEPTH, log->stack_sum);
}

int avd__stats_line(struct avd_str text, struct avd__vlog *log, struct avd__verified *program)
{
	uint64_t number;
	if (avd__take(&text, "processed "))
		return processed(text, program);
	if (avd__take(&text, "verification time ")) {
		if (avd__take_number(&text, &number) && avd__starts_with(text, " usec") &&
		    number <= UINT64_MAX / 1000)
			from_log(program, AVD_FIGURE_TIME_NS, number * 1000);
	} else if (avd__take(&text, "stack depth ")) {
		stack_depth(text, program);
	} else if (avd__starts_with(text, "subprog ")) {
		subprogram(text, log, program);
	}
	return 0;
}
