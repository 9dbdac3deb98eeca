// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks good from outside, and refuses each task that asks for sched_ext: the kernel makes
 * them normal ones, which its own scheduler then runs.
 */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/disallow_init_task")
s32 BPF_PROG(disallow_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	p->scx.disallow = 1;
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops disallow_ops = {
	.init_task = (void *)disallow_init_task,
	.flags = SCX_OPS_SWITCH_PARTIAL,
	.name = "disallow",
};
