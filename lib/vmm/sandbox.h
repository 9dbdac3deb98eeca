/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What a vCPU's thread may still ask of the kernel once it runs a guest: what KVM_RUN and our
 * devices need, and no more. A seccomp filter of that thread alone, no new privileges, and a table
 * of file descriptors of its own that holds nothing but the machine's; the caller's other threads
 * stay as they were.
 *
 * A forbidden call kills the thread, not the process: a library must not kill its caller, and a
 * guest that broke into a thread must not go on in it, as it would after an EPERM. What the
 * thread leaves behind is dealt with: its locks are robust (lock.h), and its end is noticed
 * (confine.c), which ends the machine as vcpu-error. SIGSYS (SECCOMP_RET_TRAP) would need a
 * handler, and those are the caller's.
 *
 * What it can't do: the thread shares the caller's memory. A caller that wants a wall there, too,
 * runs cells in a process of their own.
 */
#ifndef AVD_LIB_VMM_SANDBOX_H
#define AVD_LIB_VMM_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct avd__sandbox;

struct avd__sandbox_options {
	int vm_fd, event_fd; /* as the thread has them */
	int kick_signal; /* what vCPU threads send one another */
	/* For tests: SCMP_ACT_KILL_PROCESS, say, instead of killing the thread; 0: that. */
	uint32_t violation;
	size_t without; /* for tests: number of the rule to leave out, from 1; 0: none */
};

/* Compiles the filter: once a machine, before its threads, because it allocates and may fail. */
int avd__sandbox_new(const struct avd__sandbox_options *options, struct avd__sandbox **ret_sandbox,
		     struct avd__error *error);
void avd__sandbox_free(struct avd__sandbox *sandbox); /* NULL is ignored */

/* Confines the calling thread for good, and leaves it these descriptors; sorts them. Allocates
 * nothing. A negative errno: it is not confined, and must not run a guest. */
int avd__sandbox_enter(const struct avd__sandbox *sandbox, int *fds, size_t count);

/* For tests: how many rules there are, and the name of rule `number`, from 1. */
size_t avd__sandbox_rules(void);
const char *avd__sandbox_rule_name(size_t number);

#endif
