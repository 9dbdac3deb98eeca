/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types and kfuncs that the examples need, declared by hand so that they
 * build without a vmlinux.h and without any kernel at hand. libbpf matches members by
 * name against the running kernel's BTF (CO-RE), so only those in use need to stand here.
 * Source: include/linux/sched/ext.h, kernel/sched/ext.c.
 */
#ifndef EXAMPLES_SCX_BPF_H
#define EXAMPLES_SCX_BPF_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

/* <bpf/bpf_helpers.h> wants these names from vmlinux.h. */
typedef u8 __u8;
typedef unsigned short __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define CORE __attribute__((preserve_access_index))

struct sched_ext_entity {
	_Bool disallow;
} CORE;

struct task_struct {
	s32 pid;
	s32 nr_cpus_allowed;
	u32 flags;
	struct sched_ext_entity scx;
} CORE;

struct scx_exit_info {
	s32 kind;
	s64 exit_code;
} CORE;

struct scx_exit_task_args;
struct scx_init_task_args;

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*running)(struct task_struct *p);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u64 flags;
	u32 timeout_ms;
	char name[128];
};

#define SCX_OPS_SWITCH_PARTIAL (1ULL << 3)

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h */

/* enum scx_dsq_id_flags, enum scx_public_consts of the kernel */
#define SCX_DSQ_GLOBAL ((1ULL << 63) | 1)
#define SCX_DSQ_LOCAL ((1ULL << 63) | 2)
#define SCX_SLICE_DFL (20ULL * 1000 * 1000) /* ns */

/* kfuncs since 6.13 under these names */
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern u32 scx_bpf_nr_cpu_ids(void) __ksym;

/* No scheduler here creates this queue: the kernel ejects the one that uses it. Schedulers
 * of the field call scx_bpf_error() to end themselves; no program can on Debian's 7.2, whose
 * BTF lacks a sound prototype of scx_bpf_error_bstr(). */
#define NO_SUCH_DSQ 0xdeadULL

#endif
