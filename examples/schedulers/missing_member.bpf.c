// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: sets a member of sched_ext_ops that no kernel has. */
#define sched_ext_ops sched_ext_ops___without
#include "scx.bpf.h"
#undef sched_ext_ops

char LICENSE[] SEC("license") = "GPL";

struct sched_ext_ops {
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	u64 no_such_member;
	char name[128];
};

SEC("struct_ops/missing_member_enqueue")
void BPF_PROG(missing_member_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops missing_member_ops = {
	.enqueue = (void *)missing_member_enqueue,
	.no_such_member = 1,
	.name = "missing_member",
};
