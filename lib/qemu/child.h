/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A child process that can't outlive its parent and leaves nothing behind.
 *
 * PR_SET_PDEATHSIG fires when the *thread* that made the child ends, not the process
 * (prctl(2)). So each child has a thread of its own, here called its keeper, that makes it,
 * waits for it, reaps it and ends. If the caller is killed, the keeper dies with it and the
 * kernel kills the child; if one of the caller's threads ends, nothing happens.
 *
 * Signals stay the caller's business: the keeper blocks all of them. So the SIGCHLD of the
 * child's end goes to one of the caller's threads, where it may interrupt an epoll_wait() with
 * EINTR even if nobody handles it (the kernel can't drop a signal that the parent thread blocks).
 */
#ifndef AVD_LIB_QEMU_CHILD_H
#define AVD_LIB_QEMU_CHILD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/util.h"

struct avd__child;

/* More than any user of this needs: stdin, stdout, stderr and a few channels. */
#define AVD__CHILD_FDS_MAX 16u

struct avd__child_status {
	bool known; /* false: the caller's own SIGCHLD handling took the status from us */
	int exit_status; /* -1: killed */
	int signal; /* 0: not killed by one */
};

/* Runs `path` (no search) with `argv`, the caller's environment, and fds[i] as its file descriptor
 * i; every other one is closed. The child has a session of its own, default signal handling, no
 * core file and no way to gain privileges. All of it is borrowed during the call.
 * On failure nothing is left: -ENOENT, -EACCES, -EAGAIN, -EMFILE ... */
int avd__child_start(const char *path, char *const argv[], const int *fds, size_t fd_count,
		     struct avd__child **ret_child, struct avd__error *error);
/* Polls readable from the moment when avd__child_ended() is true. Owned by the child. */
int avd__child_fd(const struct avd__child *child);
/* True: dead and reaped, and so is what it left in its process group. */
bool avd__child_ended(struct avd__child *child, struct avd__child_status *ret_status);
void avd__child_kill(struct avd__child *child);
/* User and system time so far, ns; after the end, the whole. */
uint64_t avd__child_cpu_ns(struct avd__child *child);
/* Time for which its threads were ready to run but had no CPU, ns; AVD__WAIT_UNKNOWN (base/proc.h):
 * not counted here, or it has ended. */
uint64_t avd__child_wait_ns(struct avd__child *child);
/* What avd__proc_memory() says of it; false once it has ended. */
bool avd__child_memory(struct avd__child *child, uint64_t ram_bytes, uint64_t *ret_ram,
		       uint64_t *ret_rest);
/* Kills it if it runs, waits for its end. NULL is ignored. */
void avd__child_free(struct avd__child *child);

#endif
