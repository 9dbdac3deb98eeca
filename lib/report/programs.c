// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the verifier made of the scheduler's BPF programs. */
#include <attachverdict/verifier.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"
#include "report/format.h"
#include "report/json_evidence.h"
#include "report/text.h"
#include "report/verifier_table.h"

static const char *type_name(uint32_t type)
{
	const char *name = avd_program_type_name(type);
	return *name ? name : NULL;
}

static uint32_t known(const struct avd__program *program)
{
	return program->figures.from_probe | program->figures.from_info;
}

static uint64_t number_at(const struct avd_msg_program *figures, size_t offset, size_t size)
{
	uint32_t narrow;
	uint64_t wide;
	if (size == sizeof(wide)) {
		memcpy(&wide, (const char *)figures + offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)figures + offset, sizeof(narrow));
	return narrow;
}

#define FIGURE(name, bit, member)                                     \
	{                                                             \
		name, bit, offsetof(struct avd_msg_program, member),  \
			sizeof(((struct avd_msg_program *)0)->member) \
	}
static const struct {
	const char *name;
	uint32_t bit;
	size_t offset, size;
} numbers[] = {
	FIGURE("type", AVD_PROGRAM_TYPE, type),
	FIGURE("id", AVD_PROGRAM_ID, prog_id),
	FIGURE("error", AVD_PROGRAM_ERROR, error),
	FIGURE("verified_insns", AVD_PROGRAM_VERIFIED_INSNS, verified_insns),
	FIGURE("processed_insns", AVD_PROGRAM_PROCESSED_INSNS, processed_insns),
	FIGURE("total_states", AVD_PROGRAM_TOTAL_STATES, total_states),
	FIGURE("peak_states", AVD_PROGRAM_PEAK_STATES, peak_states),
	FIGURE("max_states_per_insn", AVD_PROGRAM_MAX_STATES_PER_INSN, max_states_per_insn),
	FIGURE("verification_ns", AVD_PROGRAM_VERIFICATION_NS, verification_ns),
	FIGURE("stack_depth", AVD_PROGRAM_STACK_DEPTH, stack_depth),
	FIGURE("xlated_bytes", AVD_PROGRAM_XLATED_BYTES, xlated_bytes),
	FIGURE("jited_bytes", AVD_PROGRAM_JITED_BYTES, jited_bytes),
};

static void put_source(struct avd__json *json, const struct avd_msg_program *figures,
		       const char *name, uint32_t bit)
{
	const char *info = figures->from_info & bit ? "info" : NULL;
	avd__json_cstring(json, name, figures->from_probe & bit ? "probe" : info);
}

static void put_program(struct avd__json *json, const struct avd__program *program)
{
	const struct avd_msg_program *figures = &program->figures;
	const uint32_t has = known(program);
	avd__json_open(json, NULL, '{');
	avd__json_u64(json, "order", figures->order);
	avd__json_cstring(json, "name", has & AVD_PROGRAM_NAME ? program->name : NULL);
	avd__json_cstring(json, "type_name",
			  has & AVD_PROGRAM_TYPE ? type_name(figures->type) : NULL);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(numbers); i++) {
		const uint64_t number = number_at(figures, numbers[i].offset, numbers[i].size);
		const int no_id = numbers[i].bit == AVD_PROGRAM_ID && !number;
		if (has & numbers[i].bit && !no_id)
			avd__json_u64(json, numbers[i].name, number);
		else
			avd__json_null(json, numbers[i].name);
	}
	avd__json_open(json, "source", '{');
	put_source(json, figures, "name", AVD_PROGRAM_NAME);
	for (size_t i = 0; i < AVD__ARRAY_SIZE(numbers); i++)
		put_source(json, figures, numbers[i].name, numbers[i].bit);
	avd__json_close(json, '}');
	avd__json_close(json, '}');
}

void avd__json_programs(struct avd__json *json, const struct avd__evidence *ev)
{
	avd__json_open(json, "programs", '[');
	for (uint32_t i = 0; i < ev->program_count; i++)
		put_program(json, &ev->programs[i]);
	avd__json_close(json, ']');
	avd__json_u64(json, "programs_total", ev->programs_total);
}

/* libbpf tries out what the kernel can do with tiny programs of its own, in the scheduler's
 * process (tools/lib/bpf/features.c of the kernel's source). Only a guess, from the name: they
 * are counted apart, not left out. */
int avd__is_trial_name(const char *name)
{
	static const char *const names[] = {"", "libbpf_nametest", "det_arg_ctx"};
	for (size_t i = 0; i < AVD__ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return 1;
	}
	return 0;
}

static int is_trial(const struct avd__program *program)
{
	return known(program) & AVD_PROGRAM_NAME && avd__is_trial_name(program->name);
}

static void put_name(struct avd__text *text, const struct avd__program *program)
{
	if (!*program->name)
		avd__buf_puts(&text->out, "(no name)");
	else
		avd__buf_escape(&text->out, program->name, strlen(program->name));
}

/* "fifo_enqueue (struct_ops): 34 insns processed, 2 states, ... */
static void put_figures(struct avd__text *text, const struct avd__program *program)
{
	const struct avd_msg_program *figures = &program->figures;
	const uint32_t has = known(program);
	struct avd__buf *out = &text->out;

	avd__text_row(text, "");
	put_name(text, program);
	const char *type = has & AVD_PROGRAM_TYPE ? type_name(figures->type) : NULL;
	if (type)
		avd__buf_printf(out, " (%s)", type);
	avd__buf_puts(out, ": ");
	if (figures->error) {
		avd__buf_puts(out, "rejected, ");
		avd__put_errno(out, figures->error);
		avd__buf_puts(out, "; ");
	}
	if (has & AVD_PROGRAM_PROCESSED_INSNS)
		avd__buf_printf(out, "%" PRIu32 " insns processed", figures->processed_insns);
	else if (has & AVD_PROGRAM_VERIFIED_INSNS)
		avd__buf_printf(out, "%" PRIu32 " insns verified", figures->verified_insns);
	else
		avd__buf_puts(out, "no figures");
	if (has & AVD_PROGRAM_TOTAL_STATES)
		avd__buf_printf(out, ", %" PRIu32 " states", figures->total_states);
	if (has & AVD_PROGRAM_PEAK_STATES)
		avd__buf_printf(out, " (peak %" PRIu32 ")", figures->peak_states);
	if (has & AVD_PROGRAM_VERIFICATION_NS) {
		avd__buf_puts(out, ", ");
		avd__put_duration(out, figures->verification_ns);
	}
	if (has & AVD_PROGRAM_STACK_DEPTH)
		avd__buf_printf(out, ", stack %" PRIu32, figures->stack_depth);
	if (has & AVD_PROGRAM_JITED_BYTES) {
		avd__buf_puts(out, ", jited ");
		avd__put_size(out, figures->jited_bytes);
	}
	avd__buf_puts(out, "\n");
}

/* "2 loaded, 1 rejected, 519 insns processed; 4 trials of libbpf" */
static void put_sum(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;
	struct avd__buf *out = &text->out;
	uint64_t insns = 0, trials = 0, rejected = ev->programs_rejected;

	for (uint32_t i = 0; i < ev->program_count; i++) {
		const struct avd_msg_program *figures = &ev->programs[i].figures;
		if (is_trial(&ev->programs[i])) {
			trials++;
			rejected -= figures->error != 0;
			continue;
		}
		insns += figures->processed_insns ? figures->processed_insns
						  : figures->verified_insns;
	}
	avd__text_row(text, "programs");
	avd__buf_printf(out, "%" PRIu64 " loaded, ", ev->programs_total - trials - rejected);
	if (rejected)
		avd__buf_printf(out, "%" PRIu64 " rejected, ", rejected);
	avd__buf_printf(out, "%" PRIu64 " insns processed", insns);
	if (trials)
		avd__buf_printf(out, "; %" PRIu64 " trial%s of libbpf", trials,
				trials == 1 ? "" : "s");
	avd__buf_puts(out, text->verbose ? "\n" : " (-v lists them)\n");
}

void avd__text_programs(struct avd__text *text)
{
	const struct avd__evidence *ev = text->ev;

	if (!ev->programs_total)
		return;
	put_sum(text);
	if (!text->verbose)
		return;
	for (uint32_t i = 0; i < ev->program_count; i++)
		put_figures(text, &ev->programs[i]);
	if (ev->programs_total > ev->program_count) {
		avd__text_row(text, "");
		avd__buf_printf(&text->out, "(%" PRIu64 " more)\n",
				ev->programs_total - ev->program_count);
	}
}
