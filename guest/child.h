/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Processes that init starts. Each is forked held, before the scheduler runs, and released
 * through a pipe: under a scheduler that stalls, forking could take forever.
 */
#ifndef AVD_GUEST_CHILD_H
#define AVD_GUEST_CHILD_H

#include <sys/types.h>

#include "facts.h"

#define AVD__STEP_MAX 24u

struct avd__child {
	pid_t pid; /* 0: none */
	int pidfd;
	int out[2]; /* read ends of its output and error pipes; the child table's user takes them */
	int hold; /* a byte written here lets it go */
	int report; /* what it could not do, if it can't be executed; else end of file */
	bool reaped;
	struct avd__exit exit; /* once reaped */
	char failed_step[AVD__STEP_MAX]; /* with exit.exec_failed: "execve", or what came before */
};

struct avd__spawn {
	char *const *argv; /* a path, or a name that is searched in $PATH */
	void (*run)(void *userdata); /* called instead, if not NULL; the child ends after it */
	void *userdata;
	int cgroup; /* directory of its cgroup, or -1 */
	int oom_score_adj; /* -1000..1000 */
	bool output; /* with pipes for standard output and error */
};

/* 0, or -1 with the reason in `why`. */
int avd__child_spawn(const struct avd__spawn *spawn, struct avd__child *ret_child,
		     struct avd__text *why);
void avd__child_release(struct avd__child *child);
/* By its pidfd: false from the moment it has ended, reaped or not. */
bool avd__child_alive(const struct avd__child *child);
/* Takes the exit status if there is one; also what the child reported. */
void avd__child_reap(struct avd__child *child);
/* Reaps what others left to PID 1; a bounded number a call. `known` are not touched. */
void avd__reap_orphans(struct avd__child *const *known, size_t count);
/* To its process group, which is its session's first one. */
void avd__child_signal(const struct avd__child *child, int number);

/* In the child: gives up what belongs to init. Exported for the probe, which never executes. */
int avd__drop_privileges(void);

/* Why can't `path` be executed, beyond strerror(): appends a hint. */
void avd__explain_exec(struct avd__text *text, const char *path, int error);
/* Is this file an ELF object for the BPF machine? */
bool avd__is_bpf_object(const char *path);

#endif
