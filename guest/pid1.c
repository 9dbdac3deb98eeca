// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Above every task that a scheduler may manage, below the kernel's stop and migration
 * threads (99); sched_ext's own helper runs at the default of 50. */
#define PRIORITY 60

#define FILES_MAX 65536u /* what service managers give to daemons is about that */

static void null_stdio(void)
{
	const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++)
		if (i != fd)
			dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

void avd__pid1_settle(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit files = {FILES_MAX, FILES_MAX};
	const struct rlimit no_core = {0, 0};

	null_stdio();
	/* BPF maps count as locked memory before 5.11, and loaders expect to be allowed. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &no_core);
	/* Nobody without CAP_SYS_PTRACE reads this memory: it holds the nonce. */
	prctl(PR_SET_DUMPABLE, 0);
	/* Only signals with a handler reach PID 1: leave SIGCHLD and the rest to the kernel,
	 * which drops them. SIGPIPE is ignored for the writes to children. */
	signal(SIGPIPE, SIG_IGN);
}

int avd__pid1_realtime(struct avd__text *why)
{
	const struct sched_param param = {.sched_priority = PRIORITY};

	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
		avd__text_add(why, "mlockall: %s", strerror(errno));
		return -1;
	}
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0) {
		avd__text_add(why, "sched_setscheduler(SCHED_FIFO): %s", strerror(errno));
		return -1;
	}
	return 0;
}
