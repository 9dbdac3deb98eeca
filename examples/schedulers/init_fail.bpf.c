// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: ops.init() fails. The loader's attach call succeeds all the same
 * and returns a valid link: only the kernel's state tells that nothing was enabled.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define EOPNOTSUPP 95

SEC("struct_ops/init_fail_enqueue")
void BPF_PROG(init_fail_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops.s/init_fail_init")
s32 BPF_PROG(init_fail_init)
{
	return -EOPNOTSUPP;
}

SEC(".struct_ops.link")
struct sched_ext_ops init_fail_ops = {
	.enqueue = (void *)init_fail_enqueue,
	.init = (void *)init_fail_init,
	.name = "init_fail",
};
