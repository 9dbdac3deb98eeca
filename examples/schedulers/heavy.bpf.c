// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler that gives the verifier work, as the large ones of the field do: each task gets a
 * slice by a score of tables, which is summed up in loops within loops. The verifier walks every
 * iteration: some hundred thousand instructions, and at level 2 a log of more than 16 MiB.
 *
 * heavy_reject.bpf.c is the same with a mistake behind the loops.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define GROUPS 32
#define TASKS 100

u64 weights[TASKS]; /* user space may set them */

/* Slices in ns. */
#define SLICE_LEAST 1000000ULL
#define SLICE_MASK 0xffffffULL

SEC("struct_ops/heavy_enqueue")
void BPF_PROG(heavy_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 score = (u32)p->pid & 0xffff;
#pragma clang loop unroll(disable)
	for (u32 group = 0; group < GROUPS; group++) {
#pragma clang loop unroll(disable)
		for (u32 task = 0; task < TASKS; task++)
			score += (u32)weights[task];
	}
#ifdef HEAVY_REJECT
	/* pid may be anything: the verifier can't bound the access */
	score += (u32)weights[p->pid];
#endif
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_LEAST + (score & SLICE_MASK), enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops heavy_ops = {
	.enqueue = (void *)heavy_enqueue,
	.name = "heavy",
};
