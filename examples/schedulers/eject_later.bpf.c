// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: schedules well for three seconds, then reports an error. */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define GOOD_NS 3000000000ULL

u64 first_ns;

SEC("struct_ops/eject_later_enqueue")
void BPF_PROG(eject_later_enqueue, struct task_struct *p, u64 enq_flags)
{
	const u64 now = bpf_ktime_get_ns();
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	if (!first_ns)
		first_ns = now;
	else if (now - first_ns > GOOD_NS)
		scx_error("eject_later: broken on purpose after three seconds");
}

SEC(".struct_ops.link")
struct sched_ext_ops eject_later_ops = {
	.enqueue = (void *)eject_later_enqueue,
	.name = "eject_later",
};
