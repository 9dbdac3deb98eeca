// SPDX-License-Identifier: GPL-2.0-only
/* Asks for more patience than the kernel's watchdog allows, 30 s: it is refused (E2BIG). */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/big_timeout_enqueue")
void BPF_PROG(big_timeout_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops big_timeout_ops = {
	.enqueue = (void *)big_timeout_enqueue,
	.timeout_ms = 60000,
	.name = "big_timeout",
};
