// SPDX-License-Identifier: GPL-2.0-only
/* Broken on purpose: the verifier refuses the unchecked pointer of a map lookup. */
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	/* Not an array: for a constant key of one the verifier knows that the entry is there. */
	__uint(type, 1); /* BPF_MAP_TYPE_HASH */
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

SEC("struct_ops/reject_enqueue")
void BPF_PROG(reject_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 key = 0;
	u64 *count = bpf_map_lookup_elem(&counters, &key);
	*count += 1; /* may be NULL: "invalid mem access 'map_value_or_null'" */
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops reject_ops = {
	.enqueue = (void *)reject_enqueue,
	.name = "reject",
};
