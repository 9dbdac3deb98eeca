// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: calls a kfunc that no kernel has. libbpf says so before the load. */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern void scx_bpf_no_such_kfunc(u64 dsq_id) __ksym;

SEC("struct_ops/missing_kfunc_enqueue")
void BPF_PROG(missing_kfunc_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_no_such_kfunc(SCX_DSQ_GLOBAL);
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops missing_kfunc_ops = {
	.enqueue = (void *)missing_kfunc_enqueue,
	.name = "missing_kfunc",
};
