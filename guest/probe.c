// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "probe.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "probe_task.h"

void avd__probe_cpus(struct avd__probe *probe)
{
	static cpu_set_t set[AVD__CPU_SETS];

	/* PID 1 may run on each CPU; the kernel leaves out those that are not online. */
	if (sched_getaffinity(0, sizeof(set), set) < 0)
		CPU_SET(0, set);
	for (uint16_t i = 0; i < AVD__CPUS_MAX; i++)
		if (CPU_ISSET_S(i, sizeof(set), set))
			probe->cpu[probe->cpus++] = i;
}

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static void plan(struct avd__probe *probe, uint32_t mode)
{
	const bool full = mode == AVD__DISPATCH_FULL;

	probe->rounds = full ? AVD__PROBE_ROUNDS_FULL : AVD__PROBE_ROUNDS_QUICK;
	probe->count[AVD__PROBE_PINNED] = probe->cpus;
	probe->count[AVD__PROBE_FREE] =
		full ? clamp(2 * probe->cpus, AVD__PROBE_FREE_FULL_MIN, AVD__PROBE_FREE_FULL_MAX)
		     : AVD__PROBE_FREE_QUICK;
	probe->count[AVD__PROBE_WAKER] =
		full ? clamp(2 * probe->cpus, 2, AVD__PROBE_WAKERS_MAX) : 0;
	probe->count[AVD__PROBE_WALKER] = full ? AVD__PROBE_WALKERS : 0;
	probe->count[AVD__PROBE_NORMAL] = full ? AVD__PROBE_NORMALS : 0;
	probe->tasks = 0;
	for (int role = 0; role < AVD__PROBE_ROLES; role++)
		probe->tasks += probe->count[role];
}

enum avd__probe_role avd__probe_role(const struct avd__probe *probe, uint32_t task)
{
	int role = 0;

	while (role < AVD__PROBE_ROLES - 1 && task >= probe->count[role])
		task -= probe->count[role++];
	return (enum avd__probe_role)role;
}

static void parent_main(void *userdata)
{
	const struct avd__probe *probe = userdata;

	for (uint32_t i = 0; i < probe->tasks; i++) {
		const pid_t pid = fork();
		if (pid == 0)
			avd__probe_task(probe, i);
		if (pid < 0) {
			probe->shared->task[i].error = errno;
			probe->shared->ready++;
		}
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

int avd__probe_fork(struct avd__probe *probe, uint32_t mode, struct avd__text *why)
{
	const struct avd__spawn spawn = {.run = parent_main, .userdata = probe, .cgroup = -1};
	void *shared = mmap(NULL, sizeof(*probe->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		avd__text_add(why, "the dispatch probe: mmap: %s", strerror(errno));
		return -1;
	}
	probe->shared = shared;
	plan(probe, mode);
	if (avd__child_spawn(&spawn, &probe->child, why) < 0)
		return -1;
	avd__child_release(&probe->child);
	return 0;
}

bool avd__probe_ready(const struct avd__probe *probe)
{
	return probe->shared->ready >= probe->tasks;
}

void avd__probe_go(struct avd__probe *probe, bool switch_all)
{
	probe->shared->go = switch_all ? AVD__PROBE_GO_ALL : AVD__PROBE_GO_PARTIAL;
	avd__futex_wake(&probe->shared->go, INT_MAX);
}

uint32_t avd__probe_rounds_due(const struct avd__probe *probe, uint32_t task)
{
	/* Each CPU once at least. */
	return avd__probe_role(probe, task) != AVD__PROBE_WALKER ? probe->rounds
	       : probe->cpus > AVD__PROBE_ROUNDS_QUICK		 ? probe->cpus
								 : AVD__PROBE_ROUNDS_QUICK;
}

uint32_t avd__probe_rounds(const struct avd__probe *probe, uint32_t task)
{
	const uint32_t due = avd__probe_rounds_due(probe, task);
	const uint32_t rounds = probe->shared->task[task].rounds;

	return rounds < due ? rounds : due;
}

int avd__probe_error(const struct avd__probe *probe, uint32_t task)
{
	return probe->shared->task[task].error;
}
