// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: reports an error as soon as it has to schedule, so the kernel
 * enables it and ejects it at once.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/eject_enqueue")
void BPF_PROG(eject_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	scx_error("eject: broken on purpose");
}

SEC(".struct_ops.link")
struct sched_ext_ops eject_ops = {
	.enqueue = (void *)eject_enqueue,
	.name = "eject",
};
