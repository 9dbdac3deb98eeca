// SPDX-License-Identifier: GPL-2.0-only
/* Two schedulers in one object: the kernel takes the first and refuses the second (EBUSY). */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/busy_enqueue")
void BPF_PROG(busy_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops busy_first = {
	.enqueue = (void *)busy_enqueue,
	.name = "busy_first",
};

SEC(".struct_ops.link")
struct sched_ext_ops busy_second = {
	.enqueue = (void *)busy_enqueue,
	.name = "busy_second",
};
