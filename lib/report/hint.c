// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What to do about a verdict: the reason code's hint, or a better one that the evidence allows. */
#include "report/hint.h"

#define PROG_TYPE_STRUCT_OPS 27u /* enum bpf_prog_type of linux/bpf.h */
#define KERNEL_ENOTSUPP 524u /* of linux/errno.h: libc has no name for it */

static const char not_tied[] =
	"The kernel refused the program before its first instruction (-524): most likely its "
	"loader tied it to no struct_ops map, as libbpf before 1.2 does with a map in "
	"`.struct_ops.link`. `ldd` tells which libbpf the scheduler finds; a copy outside its "
	"build folder may find the system's.";

/* The kernel's own figures, not the loader's words: a struct_ops program without an attach_btf_id
 * gets ENOTSUPP before an instruction was looked at (kernel/bpf/verifier.c). */
static int is_not_tied(const struct avd_msg_program *program)
{
	const uint32_t needed = AVD_PROGRAM_TYPE | AVD_PROGRAM_ERROR | AVD_PROGRAM_PROCESSED_INSNS;
	return ((program->from_probe | program->from_info) & needed) == needed &&
	       program->type == PROG_TYPE_STRUCT_OPS && program->error == KERNEL_ENOTSUPP &&
	       program->processed_insns == 0;
}

const char *avd__hint(const struct avd__evidence *ev, const struct avd_verdict *verdict)
{
	if (verdict->result == AVD_RESULT_PASSED)
		return "";
	if (verdict->result_code == AVD_REASON_VERIFIER_REJECTED) {
		for (uint32_t i = 0; i < ev->program_count; i++) {
			if (is_not_tied(&ev->programs[i].figures))
				return not_tied;
		}
	}
	return avd_reason_code_hint(verdict->result_code);
}
