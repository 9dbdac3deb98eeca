// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: schedules well, but forgets each task of user space that may run on CPU 1
 * only (on CPU 0 if there is no other). Most programs never notice; the tasks that do wait
 * until the kernel's watchdog ejects the scheduler, 30 to 45 s later.
 */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define STARVED_CPU 1

SEC("struct_ops/starve_cpu_enqueue")
void BPF_PROG(starve_cpu_enqueue, struct task_struct *p, u64 enq_flags)
{
	const int pinned = p->nr_cpus_allowed == 1 && !(p->flags & PF_KTHREAD);
	const int starved = scx_bpf_nr_cpu_ids() > STARVED_CPU ? STARVED_CPU : 0;
	if (pinned && scx_bpf_task_cpu(p) == starved)
		return; /* queued nowhere */
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops starve_cpu_ops = {
	.enqueue = (void *)starve_cpu_enqueue,
	.name = "starve_cpu",
};
