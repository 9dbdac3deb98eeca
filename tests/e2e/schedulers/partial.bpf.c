// SPDX-License-Identifier: GPL-2.0-only
/* Good: takes only the tasks of the policy SCHED_EXT; the others stay with the kernel's own. */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/partial_enqueue")
void BPF_PROG(partial_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops partial_ops = {
	.enqueue = (void *)partial_enqueue,
	.flags = SCX_OPS_SWITCH_PARTIAL,
	.name = "partial",
};
