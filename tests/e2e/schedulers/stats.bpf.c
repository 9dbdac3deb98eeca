// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler with something for the verifier to do: branches, loops, functions of their own
 * with stack. The queue is the kernel's, so it works. Larger than the rest is only the loop of
 * `grind`, whose log at level 2 takes some 20 MiB.
 */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SLOTS 8
#ifndef ROUNDS
#define ROUNDS 40
#endif

u64 counts[SLOTS];
u32 seed = 1;

__attribute__((noinline)) static u64 mix(u64 x)
{
	u64 parts[4] = {x, x >> 8, x >> 16, x >> 24};
	u64 sum = 0;

	for (int i = 0; i < 4; i++) {
		if (parts[i] & 1)
			sum += parts[(x >> i) & 3];
		else
			sum ^= parts[i];
	}
	return sum;
}

__attribute__((noinline)) u64 grind(u64 x)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		if (x & 1)
			x = x * 3 + 1;
		else
			x >>= 1;
		counts[x & (SLOTS - 1)] += i;
	}
	return x;
}

SEC("struct_ops/stats_enqueue")
void BPF_PROG(stats_enqueue, struct task_struct *p, u64 enq_flags)
{
	const u64 slice = SCX_SLICE_DFL + (mix((u64)p->pid) & 0xff);

	counts[p->pid & (SLOTS - 1)]++;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice, enq_flags);
}

SEC("struct_ops/stats_running")
void BPF_PROG(stats_running, struct task_struct *p)
{
	if (p->pid % 64 == 0)
		seed = (u32)grind(seed + (u64)p->pid);
}

SEC(".struct_ops.link")
struct sched_ext_ops stats_ops = {
	.enqueue = (void *)stats_enqueue,
	.running = (void *)stats_running,
	.name = "stats",
};
