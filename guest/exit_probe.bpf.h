/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sees why the kernel disabled a scheduler: the kernel log has the words, but not the exit
 * code and not the dump. All that is known stands in struct scx_exit_info at the end of
 * scx_disable_workfn() of kernel/sched/ext.c (6.16 to 7.3), which every end goes through, a
 * failed ops.init() included. A part of program_probe.bpf.c: one object, one look at the
 * kernel's BTF.
 */
#include "exit_record.h"

struct kthread_work;

enum scx_exit_kind { SCX_EXIT_NONE };

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	char *msg, *dump;
} CORE;

struct kthread_work_of_scx {
	u64 unused;
};

struct scx_sched {
	struct scx_exit_info *exit_info;
	struct kthread_work_of_scx disable_work;
} CORE;

struct avd__exit_record exit_record SEC(AVD__EXIT_RECORD_MAP);

SEC("fexit/scx_disable_workfn")
int BPF_PROG(scheduler_disabled, struct kthread_work *work)
{
	const struct scx_sched *scheduler =
		(void *)work - bpf_core_field_offset(struct scx_sched, disable_work);
	const struct scx_exit_info *info = BPF_CORE_READ(scheduler, exit_info);
	struct avd__exit_record *record = &exit_record;

	if (!info)
		return 0;
	record->reason[0] = record->message[0] = record->dump[0] = '\0';
	record->kind = (u32)BPF_CORE_READ(info, kind);
	record->exit_code = BPF_CORE_READ(info, exit_code);
	bpf_probe_read_kernel_str(record->reason, sizeof(record->reason),
				  BPF_CORE_READ(info, reason));
	bpf_probe_read_kernel_str(record->message, sizeof(record->message),
				  BPF_CORE_READ(info, msg));
	bpf_probe_read_kernel_str(record->dump, sizeof(record->dump), BPF_CORE_READ(info, dump));
	/* Last: init looks at the rest once this has moved. */
	__sync_fetch_and_add(&record->count, 1);
	return 0;
}
