// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "probe.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* include/uapi/linux/sched.h since 6.12 */
#endif

#define TASKS_MAX (AVD__CPUS_MAX + AVD__PROBE_FREE_TASKS)
/* Every other round sleeps this long, so that waking up is tried as well as yielding. */
#define ROUND_SLEEP AVD__NS_PER_MS

/* Written by the tasks: init believes nothing of it but whether a number is large enough. */
struct avd__probe_shared {
	_Atomic uint32_t go;
	_Atomic uint32_t ready;
	struct {
		_Atomic uint32_t rounds;
		_Atomic int32_t error;
	} task[TASKS_MAX];
};

void avd__probe_cpus(struct avd__probe *probe)
{
	static cpu_set_t set[(AVD__CPUS_MAX + CPU_SETSIZE - 1) / CPU_SETSIZE];

	/* PID 1 may run on each CPU; the kernel leaves out those that are not online. */
	if (sched_getaffinity(0, sizeof(set), set) < 0)
		CPU_SET(0, set);
	for (uint16_t i = 0; i < AVD__CPUS_MAX; i++)
		if (CPU_ISSET_S(i, sizeof(set), set))
			probe->cpu[probe->cpus++] = i;
}

/* The kernel's messages name tasks: "avd-probe/1[101] failed to run for 5.2s". */
static void name_task(const struct avd__probe *probe, uint32_t index)
{
	char name[16];

	if (index < probe->cpus)
		snprintf(name, sizeof(name), "avd-probe/%u", probe->cpu[index]);
	else
		snprintf(name, sizeof(name), "avd-probe/any");
	prctl(PR_SET_NAME, name);
}

static int set_up(const struct avd__probe *probe, uint32_t index)
{
	static cpu_set_t set[(AVD__CPUS_MAX + CPU_SETSIZE - 1) / CPU_SETSIZE];
	const struct sched_param param = {0};

	if (index < probe->cpus) {
		CPU_SET_S(probe->cpu[index], sizeof(set), set);
		if (sched_setaffinity(0, sizeof(set), set) < 0)
			return errno;
	}
	/* While no scheduler is enabled, such tasks run as normal ones. */
	return sched_setscheduler(0, SCHED_EXT, &param) < 0 ? errno : 0;
}

_Noreturn static void task_main(struct avd__probe *probe, uint32_t index)
{
	struct avd__probe_shared *shared = probe->shared;
	uint32_t rounds = 0;

	name_task(probe, index);
	shared->task[index].error = set_up(probe, index);
	shared->ready++;
	while (!shared->go)
		syscall(SYS_futex, &shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	for (uint32_t i = 0; rounds < AVD__PROBE_ROUNDS; i++) {
		if (i % 2)
			sched_yield();
		else
			avd__guest_sleep(ROUND_SLEEP);
		if (index < probe->cpus && sched_getcpu() != probe->cpu[index])
			continue; /* somebody moved it: no progress of this CPU */
		shared->task[index].rounds = ++rounds;
	}
	_exit(0);
}

static void parent_main(void *userdata)
{
	struct avd__probe *probe = userdata;

	for (uint32_t i = 0; i < probe->cpus + AVD__PROBE_FREE_TASKS; i++) {
		const pid_t pid = fork();
		if (pid == 0)
			task_main(probe, i);
		if (pid < 0) {
			probe->shared->task[i].error = errno;
			probe->shared->ready++;
		}
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

int avd__probe_fork(struct avd__probe *probe, struct avd__text *why)
{
	const struct avd__spawn spawn = {.run = parent_main, .userdata = probe, .cgroup = -1};
	void *shared = mmap(NULL, sizeof(*probe->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		avd__text_add(why, "the dispatch probe: mmap: %s", strerror(errno));
		return -1;
	}
	probe->shared = shared;
	if (avd__child_spawn(&spawn, &probe->child, why) < 0)
		return -1;
	avd__child_release(&probe->child);
	return 0;
}

bool avd__probe_ready(const struct avd__probe *probe)
{
	return probe->shared->ready >= probe->cpus + AVD__PROBE_FREE_TASKS;
}

void avd__probe_go(struct avd__probe *probe)
{
	probe->shared->go = 1;
	syscall(SYS_futex, &probe->shared->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool avd__probe_done(const struct avd__probe *probe, uint32_t index)
{
	return probe->shared->task[index].rounds >= AVD__PROBE_ROUNDS;
}

int avd__probe_error(const struct avd__probe *probe, uint32_t index)
{
	return probe->shared->task[index].error;
}
