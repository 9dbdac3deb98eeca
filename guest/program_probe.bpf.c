// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sees what the verifier made of each BPF program that a process of one cgroup loads, and
 * tells init through a ring buffer. Three places of kernel/bpf, all of them global functions
 * from 6.12 to 7.3 and none of them hot:
 *  - bpf_vlog_finalize(), at the end of each verification: its log is a member of struct
 *    bpf_verifier_env, which holds the statistics; the error is not known yet;
 *  - the end of bpf_check(): a program that was rejected ends here;
 *  - perf_event_bpf_event(), which announces a program that has got its id: the jited code
 *    and the final instructions are there, and nobody can have closed it yet.
 *
 * The few kernel types are declared by hand, with the members in use only; libbpf finds
 * their places by name in the running kernel's BTF (CO-RE).
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

/* <bpf/bpf_helpers.h> wants these names from vmlinux.h. */
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "program_record.h"

#define CORE __attribute__((preserve_access_index))

#include "exit_probe.bpf.h"

enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_RINGBUF = 27 };
#define BPF_ANY 0
#define BPF_RB_NO_WAKEUP 1 /* init looks at the ring on each turn of its loop */
#define PERF_BPF_EVENT_PROG_LOAD 1 /* enum perf_bpf_event_type */
#define BPF_INSN_SIZE 8
/* BPF_MAX_SUBPROGS of include/linux/bpf_verifier.h */
#define FUNCTIONS_MAX 256

/* Loads under way at a time: one a thread. */
#define LOADS_MAX 64
/* Some 600 records; a scheduler loads dozens. */
#define RING_SIZE (64 * 1024)

enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };

struct bpf_prog_aux;

struct bpf_prog {
	enum bpf_prog_type type;
	u32 len, jited_len;
	struct bpf_prog_aux *aux;
} CORE;

struct bpf_prog_aux {
	struct bpf_prog *prog;
	u32 id, func_cnt, verified_insns;
	struct bpf_prog **func;
	char name[AVD__PROGRAM_NAME_SIZE];
} CORE;

struct bpf_verifier_log {
	u64 end_pos;
} CORE;

struct bpf_subprog_info {
	u16 stack_depth;
} CORE;

struct bpf_verifier_env {
	struct bpf_prog *prog;
	struct bpf_verifier_log log;
	struct bpf_subprog_info subprog_info[FUNCTIONS_MAX];
	u64 verification_time;
	u32 subprog_cnt, insn_processed, total_states, peak_states, max_states_per_insn;
} CORE;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_SIZE);
} records SEC(".maps");

/* By thread: the verification is over, the load is not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LOADS_MAX);
	__type(key, u64);
	__type(value, struct avd__program_record);
} loads SEC(".maps");

/* Whose loads count: those of this cgroup of the first level, and below it. 0: everybody's. */
const volatile u64 cgroup_id = 0;
#define CGROUP_LEVEL 1

u32 next_order = 0;

char LICENSE[] SEC("license") = "GPL";

static int counts(void)
{
	return !cgroup_id || bpf_get_current_ancestor_cgroup_id(CGROUP_LEVEL) == cgroup_id;
}

static void tell(struct avd__program_record *record)
{
	bpf_ringbuf_output(&records, record, sizeof(*record), BPF_RB_NO_WAKEUP);
}

struct sum {
	const void *at;
	u32 count, total;
};

static long add_stack(u32 i, struct sum *sum)
{
	u16 depth = 0;

	if (i >= sum->count)
		return 1;
	bpf_probe_read_kernel(&depth, sizeof(depth),
			      sum->at + i * bpf_core_type_size(struct bpf_subprog_info));
	sum->total += depth;
	return 0;
}

static long add_code(u32 i, struct sum *sum)
{
	const struct bpf_prog *function = NULL;

	if (i >= sum->count)
		return 1;
	bpf_probe_read_kernel(&function, sizeof(function), sum->at + i * sizeof(function));
	sum->total += BPF_CORE_READ(function, jited_len);
	return 0;
}

SEC("fentry/bpf_vlog_finalize")
int BPF_PROG(verified, struct bpf_verifier_log *log)
{
	const u64 thread = bpf_get_current_pid_tgid();
	const struct bpf_verifier_env *env =
		(void *)log - bpf_core_field_offset(struct bpf_verifier_env, log);
	struct avd__program_record record = {};

	if (!counts())
		return 0;
	const struct bpf_prog *prog = BPF_CORE_READ(env, prog);
	const struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	/* Parsing of BTF ends here too, with a log that is a part of something else. */
	if (!prog || BPF_CORE_READ(aux, prog) != prog)
		return 0;
	struct avd__program_record *before = bpf_map_lookup_elem(&loads, &thread);
	if (before) /* it passed the verifier and got no id: not JITed, for one */
		tell(before);

	struct sum stack = {
		.at = (const void *)env +
		      bpf_core_field_offset(struct bpf_verifier_env, subprog_info) +
		      bpf_core_field_offset(struct bpf_subprog_info, stack_depth),
		.count = BPF_CORE_READ(env, subprog_cnt),
	};
	bpf_loop(FUNCTIONS_MAX, add_stack, &stack, 0);
	record.order = __sync_fetch_and_add(&next_order, 1);
	record.type = BPF_CORE_READ(prog, type);
	bpf_core_read_str(record.name, sizeof(record.name), &aux->name);
	record.verified_insns = BPF_CORE_READ(aux, verified_insns);
	record.processed_insns = BPF_CORE_READ(env, insn_processed);
	record.total_states = BPF_CORE_READ(env, total_states);
	record.peak_states = BPF_CORE_READ(env, peak_states);
	record.max_states_per_insn = BPF_CORE_READ(env, max_states_per_insn);
	record.verification_ns = BPF_CORE_READ(env, verification_time);
	record.stack_depth = stack.total;
	record.stage = AVD__PROGRAM_VERIFIED;
	bpf_map_update_elem(&loads, &thread, &record, BPF_ANY);
	return 0;
}

SEC("fexit/bpf_check")
int checked(void *ctx)
{
	const u64 thread = bpf_get_current_pid_tgid();
	u64 result = 0;

	struct avd__program_record *record = bpf_map_lookup_elem(&loads, &thread);
	if (!record)
		return 0;
	bpf_get_func_ret(ctx, &result);
	if ((s32)result >= 0)
		return 0;
	record->error = (u32) - (s32)result;
	record->stage = AVD__PROGRAM_REJECTED;
	tell(record);
	bpf_map_delete_elem(&loads, &thread);
	return 0;
}

SEC("fentry/perf_event_bpf_event")
int BPF_PROG(loaded, const struct bpf_prog *prog, u32 what)
{
	const u64 thread = bpf_get_current_pid_tgid();

	if (what != PERF_BPF_EVENT_PROG_LOAD)
		return 0;
	struct avd__program_record *record = bpf_map_lookup_elem(&loads, &thread);
	if (!record)
		return 0;
	struct sum code = {
		.at = BPF_CORE_READ(prog, aux, func),
		.count = BPF_CORE_READ(prog, aux, func_cnt),
	};
	if (code.count)
		bpf_loop(FUNCTIONS_MAX, add_code, &code, 0);
	else
		code.total = BPF_CORE_READ(prog, jited_len);
	record->id = BPF_CORE_READ(prog, aux, id);
	record->xlated_bytes = BPF_CORE_READ(prog, len) * BPF_INSN_SIZE;
	record->jited_bytes = code.total;
	record->stage = AVD__PROGRAM_LOADED;
	tell(record);
	bpf_map_delete_elem(&loads, &thread);
	return 0;
}
