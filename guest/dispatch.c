// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "clock.h"
#include "init.h"
#include "reason.h"

/* The kernel throws a scheduler out that keeps a task waiting for its timeout_ms, 30 s at
 * most (SCX_WATCHDOG_MAX_TIMEOUT): wait for that to happen, it tells more than silence. */
#define LIMIT_FLOOR (35 * AVD__NS_PER_S)
/* What a handful of tasks may take on the nominal machine; scaled. */
#define LIMIT (5 * AVD__NS_PER_S)
#define INTERVAL (2 * AVD__NS_PER_MS)

#define TASKS_MAX (AVD__CPUS_MAX + AVD__PROBE_FREE_TASKS)

/* Who was seen to be done at a time when the scheduler was seen to be there afterwards. The
 * rest could be the work of the kernel's own scheduler, after an ejection. */
struct progress {
	uint32_t tasks, count;
	bool done[TASKS_MAX];
};

static bool is_complete(const struct progress *progress)
{
	return progress->count == progress->tasks;
}

static bool look(struct avd__init *init, struct progress *progress)
{
	static struct progress now;

	now = (struct progress){.tasks = progress->tasks};
	for (uint32_t i = 0; i < now.tasks; i++) {
		now.done[i] = avd__probe_done(&init->probe, i);
		now.count += now.done[i];
	}
	if (!avd__watch(init))
		return false;
	*progress = now;
	return true;
}

/* "no progress on CPU 1, 3; 1 of 2 tasks ..." */
static void name_the_missing(const struct avd__init *init, const struct progress *progress,
			     struct avd__text *reason)
{
	const struct avd__probe *probe = &init->probe;
	uint32_t cpus = 0, free_tasks = 0;

	for (uint32_t i = 0; i < progress->tasks; i++) {
		if (progress->done[i])
			continue;
		if (i >= probe->cpus)
			free_tasks++;
		else
			avd__text_add(reason, cpus++ ? ", %u" : "no progress on CPU %u",
				      probe->cpu[i]);
	}
	if (free_tasks)
		avd__text_add(reason, "%s%u of %u tasks that may run anywhere made no progress",
			      cpus ? "; " : "", free_tasks, AVD__PROBE_FREE_TASKS);
	for (uint32_t i = 0; i < progress->tasks; i++) {
		if (!avd__probe_error(probe, i))
			continue;
		avd__text_add(reason, "; a probe task could not be set up: %s",
			      strerror(avd__probe_error(probe, i)));
		break;
	}
}

static void send_result(struct avd__init *init, const struct progress *progress, bool there,
			uint64_t wall_ns)
{
	const struct avd__probe *probe = &init->probe;
	const struct avd__exit *ended = &probe->child.exit;
	uint8_t bits[AVD__CPUS_MAX / 8] = {0};
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	for (uint32_t i = 0; i < probe->cpus; i++)
		if (progress->done[i])
			bits[probe->cpu[i] / 8] |= (uint8_t)(1u << (probe->cpu[i] % 8));
	if (!is_complete(progress)) {
		if (!there)
			avd__text_add(&reason, "until the scheduler was gone: ");
		name_the_missing(init, progress, &reason);
		if (ended->signal)
			avd__text_add(&reason, "; the probe was killed by signal %u",
				      ended->signal);
	}
	struct avd_message message = {
		.kind = AVD_MSG_DISPATCH,
		.u.dispatch = {.ok = is_complete(progress),
			       .cpus_online = probe->cpus,
			       .cpus_ok = {.data = bits,
					   .len = probe->cpu[probe->cpus - 1] / 8u + 1u},
			       .wall_ns = wall_ns,
			       .reason = avd__text_str(&reason)}};
	avd__channel_send(&init->channel, &message);
}

void avd__dispatch(struct avd__init *init)
{
	static struct progress progress;
	const uint64_t scaled = avd__scale(LIMIT, init->slowness);
	const uint64_t limit = scaled > LIMIT_FLOOR ? scaled : LIMIT_FLOOR;
	const uint64_t start = avd__guest_now();
	bool there;

	if (!init->probe.child.pid)
		return;
	avd__enter_phase(init, AVD_PHASE_DISPATCH);
	progress.tasks = init->probe.cpus + AVD__PROBE_FREE_TASKS;
	avd__probe_go(&init->probe);
	while ((there = look(init, &progress)) && !is_complete(&progress)) {
		/* A probe that was killed will not go on; what its tasks did is seen. */
		if (avd__guest_now() - start >= limit || init->probe.child.reaped)
			break;
		avd__turn(init, INTERVAL);
	}
	send_result(init, &progress, there, avd__guest_now() - start);
}
