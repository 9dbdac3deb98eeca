// SPDX-License-Identifier: GPL-2.0-only
/*
 * A global first-in, first-out scheduler: every task that becomes runnable goes to the
 * end of the one queue that all CPUs take from. The kernel moves tasks from
 * SCX_DSQ_GLOBAL to a CPU that runs dry by itself, so no dispatch callback is needed.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/fifo_enqueue")
void BPF_PROG(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo_ops = {
	.enqueue = (void *)fifo_enqueue,
	.name = "fifo",
};
