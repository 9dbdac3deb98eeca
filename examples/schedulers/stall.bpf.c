// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: attaches, then forgets every task but the kernel's own threads. The
 * kernel's watchdog ejects it after timeout_ms; until then user space stands still.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/stall_enqueue")
void BPF_PROG(stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* Queued nowhere: a lost task. */
}

SEC(".struct_ops.link")
struct sched_ext_ops stall_ops = {
	.enqueue = (void *)stall_enqueue,
	.timeout_ms = 3000, /* the default of 30 s is also the largest that is allowed */
	.name = "stall",
};
