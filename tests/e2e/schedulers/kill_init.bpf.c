// SPDX-License-Identifier: GPL-2.0-only
/*
 * Overwrites the stack of PID 1 at its next system call, so that it crashes. (A signal won't do:
 * the kernel lets no BPF program send one to the global init.)
 */
#include "../../../examples/schedulers/scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SP_OFFSET 152 /* offsetof(struct pt_regs, sp) of x86_64 */

struct raw_args {
	u64 args[2];
};

SEC("raw_tp/sys_enter")
int kill_init(struct raw_args *context)
{
	static const char garbage[512];
	u64 sp = 0;
	if (bpf_get_current_pid_tgid() >> 32 != 1)
		return 0;
	bpf_probe_read_kernel(&sp, sizeof(sp), (void *)(context->args[0] + SP_OFFSET));
	bpf_probe_write_user((void *)sp, garbage, sizeof(garbage));
	return 0;
}
