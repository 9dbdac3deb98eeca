// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "program_message.h"

#include <linux/bpf.h>
#include <string.h>

/* MAX_ERRNO of the kernel: what a frame may carry. */
#define ERRNO_MAX 4095u

#define FIGURES_VERIFIED                                                                   \
	(AVD_PROGRAM_NAME | AVD_PROGRAM_TYPE | AVD_PROGRAM_PROCESSED_INSNS |               \
	 AVD_PROGRAM_VERIFIED_INSNS | AVD_PROGRAM_TOTAL_STATES | AVD_PROGRAM_PEAK_STATES | \
	 AVD_PROGRAM_MAX_STATES_PER_INSN | AVD_PROGRAM_VERIFICATION_NS | AVD_PROGRAM_STACK_DEPTH)
#define FIGURES_REJECTED (FIGURES_VERIFIED | AVD_PROGRAM_ERROR | AVD_PROGRAM_ID)
#define FIGURES_LOADED (FIGURES_REJECTED | AVD_PROGRAM_XLATED_BYTES | AVD_PROGRAM_JITED_BYTES)
#define FIGURES_INFO                                                                            \
	(AVD_PROGRAM_NAME | AVD_PROGRAM_TYPE | AVD_PROGRAM_VERIFIED_INSNS | AVD_PROGRAM_ERROR | \
	 AVD_PROGRAM_ID | AVD_PROGRAM_XLATED_BYTES | AVD_PROGRAM_JITED_BYTES)

static struct avd_bytes name_of(const char *name, size_t size)
{
	return (struct avd_bytes){(const uint8_t *)name, strnlen(name, size - 1)};
}

bool avd__program_message(const struct avd__program_record *record, struct avd_message *ret_message)
{
	static const uint32_t figures[] = {[AVD__PROGRAM_VERIFIED] = FIGURES_VERIFIED,
					   [AVD__PROGRAM_REJECTED] = FIGURES_REJECTED,
					   [AVD__PROGRAM_LOADED] = FIGURES_LOADED};

	if (record->stage < AVD__PROGRAM_VERIFIED || record->stage > AVD__PROGRAM_LOADED ||
	    record->error > ERRNO_MAX)
		return false;
	*ret_message = (struct avd_message){
		.kind = AVD_MSG_PROGRAM,
		.u.program = {.name = name_of(record->name, sizeof(record->name)),
			      .order = record->order,
			      .from_probe = figures[record->stage],
			      .type = record->type,
			      .prog_id = record->id,
			      .error = record->error,
			      .verified_insns = record->verified_insns,
			      .processed_insns = record->processed_insns,
			      .total_states = record->total_states,
			      .peak_states = record->peak_states,
			      .max_states_per_insn = record->max_states_per_insn,
			      .stack_depth = record->stack_depth,
			      .xlated_bytes = record->xlated_bytes,
			      .jited_bytes = record->jited_bytes,
			      .verification_ns = record->verification_ns}};
	return true;
}

void avd__program_info_message(const struct bpf_prog_info *info, uint32_t order,
			       struct avd_message *ret_message)
{
	*ret_message =
		(struct avd_message){.kind = AVD_MSG_PROGRAM,
				     .u.program = {.name = name_of(info->name, sizeof(info->name)),
						   .order = order,
						   .from_info = FIGURES_INFO,
						   .type = info->type,
						   .prog_id = info->id,
						   .verified_insns = info->verified_insns,
						   .xlated_bytes = info->xlated_prog_len,
						   .jited_bytes = info->jited_prog_len}};
}
