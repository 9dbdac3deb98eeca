// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: schedules well for three seconds, then uses a queue that does not exist. */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define GOOD_NS 3000000000ULL

u64 first_ns;

SEC("struct_ops/eject_later_enqueue")
void BPF_PROG(eject_later_enqueue, struct task_struct *p, u64 enq_flags)
{
	const u64 now = bpf_ktime_get_ns();
	if (!first_ns)
		first_ns = now;
	const int good = now - first_ns <= GOOD_NS;
	scx_bpf_dsq_insert(p, good ? SCX_DSQ_GLOBAL : NO_SUCH_DSQ, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops eject_later_ops = {
	.enqueue = (void *)eject_later_enqueue,
	.name = "eject_later",
};
