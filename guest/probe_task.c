// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "probe_task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* include/uapi/linux/sched.h since 6.12 */
#endif

/* Every other round sleeps this long, so that waking up is tried as well as yielding. */
#define ROUND_SLEEP AVD__NS_PER_MS

/* What a task knows of itself. */
struct self {
	const struct avd__probe *probe;
	uint32_t of_role; /* its number among those of its role */
	enum avd__probe_role role;
	int policy;
};

void avd__futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void avd__futex_wake(_Atomic uint32_t *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* The kernel's messages name tasks: "avd-probe/1[101] failed to run for 5.2s". */
static void name_task(const struct self *self)
{
	static const char *const names[] = {
		[AVD__PROBE_FREE] = "any",
		[AVD__PROBE_WAKER] = "wake",
		[AVD__PROBE_WALKER] = "walk",
		[AVD__PROBE_NORMAL] = "norm",
	};
	char name[16];

	if (self->role == AVD__PROBE_PINNED)
		snprintf(name, sizeof(name), "avd-probe/%u", self->probe->cpu[self->of_role]);
	else
		snprintf(name, sizeof(name), "avd-probe/%s", names[self->role]);
	prctl(PR_SET_NAME, name);
}

static int move_to(uint16_t cpu)
{
	cpu_set_t set[AVD__CPU_SETS];

	memset(set, 0, sizeof(set));
	CPU_SET_S(cpu, sizeof(set), set);
	return sched_setaffinity(0, sizeof(set), set) < 0 ? errno : 0;
}

static int set_up(const struct self *self)
{
	const struct sched_param param = {0};
	int error = 0;

	if (self->role == AVD__PROBE_PINNED)
		error = move_to(self->probe->cpu[self->of_role]);
	/* While no scheduler is enabled, tasks of SCHED_EXT run as normal ones. */
	if (!error && sched_setscheduler(0, self->policy, &param) < 0)
		error = errno;
	return error;
}

/* Without the kernel's word: a task that asked for sched_ext, or any normal one if all are
 * switched. A process with CAP_SYS_NICE may have changed the policy. */
static bool is_outside_by_policy(const struct self *self)
{
	const int policy = sched_getscheduler(0);

	return policy != SCHED_EXT &&
	       (policy != SCHED_OTHER || self->probe->shared->go != AVD__PROBE_GO_ALL);
}

/* Is this no task of sched_ext's? The kernel says "ext.enabled : 1" in /proc/PID/sched
 * (proc_sched_show_task() of kernel/sched/debug.c) if it has CONFIG_SCHED_DEBUG. A scheduler
 * may refuse a task (p->scx.disallow). */
static bool is_outside(const struct self *self)
{
	static const char word[] = "ext.enabled";
	char text[8192];
	size_t at;

	const int fd = open("/proc/self/sched", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	if (n <= 0 || (at = avd__bytes_find(text, (size_t)n, word)) == SIZE_MAX)
		return is_outside_by_policy(self);
	for (at += strlen(word); at < (size_t)n && (text[at] == ' ' || text[at] == ':'); at++)
		;
	return at < (size_t)n && text[at] == '0';
}

static void wake_partner(const struct self *self)
{
	_Atomic uint32_t *turn = &self->probe->shared->turn[self->of_role / 2];
	const uint32_t side = self->of_role % 2;
	uint32_t now;

	while ((now = *turn) % 2 != side)
		avd__futex_wait(turn, now);
	*turn = now + 1;
	avd__futex_wake(turn, 1);
}

/* False: it did not count. */
static bool one_round(const struct self *self, uint32_t i)
{
	const struct avd__probe *probe = self->probe;

	if (self->role == AVD__PROBE_WAKER) {
		wake_partner(self);
		return true;
	}
	if (self->role == AVD__PROBE_WALKER) {
		const uint16_t cpu = probe->cpu[(i + self->of_role) % probe->cpus];
		return !move_to(cpu) && sched_getcpu() == cpu;
	}
	if (i % 2)
		sched_yield();
	else
		avd__guest_sleep(ROUND_SLEEP);
	/* Somebody moved it: no progress of this CPU. */
	return self->role != AVD__PROBE_PINNED || sched_getcpu() == probe->cpu[self->of_role];
}

_Noreturn void avd__probe_task(const struct avd__probe *probe, uint32_t task)
{
	struct avd__probe_shared *shared = probe->shared;
	struct self self = {.probe = probe, .of_role = task, .role = avd__probe_role(probe, task)};
	const uint32_t due = avd__probe_rounds_due(probe, task);
	uint32_t rounds = 0;

	for (int role = 0; role < (int)self.role; role++)
		self.of_role -= probe->count[role];
	self.policy = self.role == AVD__PROBE_NORMAL ? SCHED_OTHER : SCHED_EXT;
	name_task(&self);
	shared->task[task].error = set_up(&self);
	shared->ready++;
	while (!shared->go)
		avd__futex_wait(&shared->go, 0);
	for (uint32_t i = 0; rounds < due; i++) {
		if (!one_round(&self, i))
			continue;
		/* Looked at from within, before the round that completes it counts. */
		if (++rounds == due && is_outside(&self)) {
			if (!shared->task[task].error)
				shared->task[task].error = AVD__PROBE_OUTSIDE;
			shared->task[task].rounds = 0; /* none of it was its work */
			break;
		}
		shared->task[task].rounds = rounds;
	}
	_exit(0);
}
