// SPDX-License-Identifier: GPL-2.0-only
/* Good: beside its scheduler the object has one that is made only if a loader asks for it. */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/optional_enqueue")
void BPF_PROG(optional_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops optional_ops = {
	.enqueue = (void *)optional_enqueue,
	.name = "optional",
};

SEC("?.struct_ops.link")
struct sched_ext_ops optional_other = {
	.enqueue = (void *)optional_enqueue,
	.name = "optional_other",
};
