// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: uses a queue that does not exist as soon as it has to schedule, so
 * the kernel enables it and ejects it at once.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Without this the kernel's own choice would send tasks straight to an idle CPU. */
SEC("struct_ops/eject_select_cpu")
s32 BPF_PROG(eject_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops/eject_enqueue")
void BPF_PROG(eject_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, NO_SUCH_DSQ, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops eject_ops = {
	.select_cpu = (void *)eject_select_cpu,
	.enqueue = (void *)eject_enqueue,
	.name = "eject",
};
