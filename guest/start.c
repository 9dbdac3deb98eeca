// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "init.h"
#include "mounts.h"

/* For the tasks of the probe to be forked; scaled. One takes about a millisecond. */
#define PROBE_READY_LIMIT (5 * AVD__NS_PER_S)

/* When memory runs out, the payload goes before the scheduler, whose death would be taken
 * for a fault of its own. */
#define OOM_SCHEDULER (-500)
#define OOM_PAYLOAD 0

static int make_cgroup(const char *dir)
{
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -1;
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int prepare_cgroup(struct avd__init *init)
{
	const int fd = make_cgroup(AVD__CGROUP_ROOT "/scheduler");

	init->cpu_stat = fd < 0 ? -1 : openat(fd, "cpu.stat", O_RDONLY | O_CLOEXEC);
	init->cgroup_events = fd < 0 ? -1 : openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return fd;
}

static void prepare_scheduler(struct avd__init *init, struct avd__text *why)
{
	static char level[12];
	static char *load_argv[] = {(char *)"/proc/self/exe", (char *)"--load", level, NULL, NULL};
	struct avd__spawn spawn = {.argv = init->config.scheduler,
				   .cgroup = prepare_cgroup(init),
				   .oom_score_adj = OOM_SCHEDULER,
				   .output = true};

	/* A BPF object: this very program loads it, as another process. */
	if (avd__is_bpf_object(init->config.scheduler[0])) {
		snprintf(level, sizeof(level), "%u", init->config.cell.verifier_log);
		load_argv[3] = init->config.scheduler[0];
		spawn.argv = load_argv;
	}
	if (avd__child_spawn(&spawn, &init->scheduler, why) < 0)
		avd__fatal(init, why->data);
	if (spawn.cgroup >= 0)
		close(spawn.cgroup);
	for (uint32_t i = 0; i < 2; i++)
		avd__output_init(&init->outputs[i], AVD_STREAM_SCHEDULER_STDOUT + i,
				 init->scheduler.out[i], init->config.cell.log_limit);
}

static void prepare_payload(struct avd__init *init, struct avd__text *why)
{
	const struct avd__spawn spawn = {.argv = init->config.payload,
					 .cgroup = make_cgroup(AVD__CGROUP_ROOT "/payload"),
					 .oom_score_adj = OOM_PAYLOAD,
					 .output = true};

	if (avd__child_spawn(&spawn, &init->payload, why) < 0)
		avd__fatal(init, why->data);
	if (spawn.cgroup >= 0) {
		init->payload_events = openat(spawn.cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
		close(spawn.cgroup);
	}
	for (uint32_t i = 0; i < 2; i++)
		avd__output_init(&init->outputs[2 + i], AVD_STREAM_PAYLOAD_STDOUT + i,
				 init->payload.out[i], init->config.cell.log_limit);
}

static void prepare_probe(struct avd__init *init, struct avd__text *why)
{
	const uint64_t limit = avd__scale(PROBE_READY_LIMIT, init->slowness);
	const uint64_t start = avd__guest_now();

	if (avd__probe_fork(&init->probe, init->config.cell.dispatch, why) < 0)
		avd__fatal(init, why->data);
	while (!avd__probe_ready(&init->probe)) {
		if (!avd__child_alive(&init->probe.child) || avd__guest_now() - start > limit)
			avd__fatal(init, "the dispatch probe did not come up");
		avd__turn(init, AVD__NS_PER_MS);
	}
}

void avd__start_prepare(struct avd__init *init)
{
	char text[256];
	struct avd__text why = avd__text_on(text, sizeof(text));

	prepare_scheduler(init, &why);
	if (init->config.payload)
		prepare_payload(init, &why);
	if (init->config.cell.dispatch)
		prepare_probe(init, &why);
	/* Last: the others do not inherit its maps and links. */
	if (init->config.cell.verifier_stats)
		avd__programs_watch(&init->programs, &init->channel, AVD__CGROUP_ROOT "/scheduler");
}

/* "usage_usec N" is the first line of cpu.stat (Documentation/admin-guide/cgroup-v2.rst). */
static bool cgroup_cpu_ns(const struct avd__init *init, uint64_t *ret_ns)
{
	static const char word[] = "usage_usec ";
	char text[512];
	const ssize_t n = init->cpu_stat < 0 ? -1 : pread(init->cpu_stat, text, sizeof(text), 0);
	if (n <= 0)
		return false;
	size_t at = avd__bytes_find(text, (size_t)n, word);
	uint64_t usec;
	if (at == SIZE_MAX)
		return false;
	at += strlen(word);
	if (!avd__bytes_number(text, (size_t)n, &at, &usec))
		return false;
	*ret_ns = usec * AVD__NS_PER_US;
	return true;
}

static uint64_t total_cpu_ns(const struct avd__init *init)
{
	uint64_t ns;
	clockid_t clock;
	struct timespec ts;

	if (cgroup_cpu_ns(init, &ns))
		return ns;
	if (clock_getcpuclockid(init->scheduler.pid, &clock) || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * AVD__NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t avd__scheduler_cpu_ns(const struct avd__init *init)
{
	const uint64_t total = total_cpu_ns(init);

	/* Being forked and held cost some; a dead process may have no clock any more. */
	return total > init->cpu_before ? total - init->cpu_before : 0;
}

void avd__start_scheduler(struct avd__init *init)
{
	struct avd__scx_reading scx;

	/* What the kernel said before is none of this scheduler's. */
	avd__kmsg_catch_up(&init->kmsg, &init->channel, &init->facts);
	memset(&init->facts, 0, sizeof(init->facts));
	avd__scx_read(&init->scx, &scx);
	init->seq_before = scx.enable_seq;
	struct avd_message message = {.kind = AVD_MSG_SCHEDULER_STARTED,
				      .u.started = {.pid = (uint32_t)init->scheduler.pid,
						    .enable_seq = init->seq_before}};
	avd__channel_send(&init->channel, &message);
	init->cpu_before = total_cpu_ns(init);
	init->started_at = avd__guest_now();
	avd__child_release(&init->scheduler);
}

static bool is_populated(int cgroup_events)
{
	char text[128];
	const ssize_t n = cgroup_events < 0 ? -1 : pread(cgroup_events, text, sizeof(text), 0);

	return n > 0 && avd__bytes_have(text, (size_t)n, "populated 1");
}

bool avd__scheduler_left_some(const struct avd__init *init)
{
	return is_populated(init->cgroup_events);
}

bool avd__payload_left_some(const struct avd__init *init)
{
	return init->payload.reaped && is_populated(init->payload_events);
}
