// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "clock.h"
#include "init.h"

/* The kernel throws a scheduler out that keeps a task waiting for its timeout_ms, 30 s at
 * most (SCX_WATCHDOG_MAX_TIMEOUT): wait for that to happen, it tells more than silence. */
#define LIMIT_FLOOR (35 * AVD__NS_PER_S)
/* What a handful of tasks may take on the nominal machine; scaled. */
#define LIMIT (5 * AVD__NS_PER_S)
#define INTERVAL (2 * AVD__NS_PER_MS)

static uint32_t tasks(const struct avd__init *init)
{
	return init->probe.cpus + AVD__PROBE_FREE_TASKS;
}

static bool all_done(const struct avd__init *init)
{
	for (uint32_t i = 0; i < tasks(init); i++)
		if (!avd__probe_done(&init->probe, i))
			return false;
	return true;
}

/* "CPU 1, 3; 1 free task" */
static void name_the_missing(const struct avd__init *init, struct avd__text *reason)
{
	const struct avd__probe *probe = &init->probe;
	uint32_t cpus = 0, free_tasks = 0;

	for (uint32_t i = 0; i < tasks(init); i++) {
		if (avd__probe_done(probe, i))
			continue;
		if (i >= probe->cpus)
			free_tasks++;
		else
			avd__text_add(reason, cpus++ ? ", %u" : "no progress on CPU %u",
				      probe->cpu[i]);
	}
	if (free_tasks)
		avd__text_add(reason, "%s%u of %u tasks that may run anywhere did not run",
			      cpus ? "; " : "", free_tasks, AVD__PROBE_FREE_TASKS);
	for (uint32_t i = 0; i < tasks(init); i++) {
		if (!avd__probe_error(probe, i))
			continue;
		avd__text_add(reason, "; a probe could not be set up: %s",
			      strerror(avd__probe_error(probe, i)));
		break;
	}
	if (!avd__child_alive(&probe->child))
		avd__text_add(reason, "; the probe's process was ended by somebody");
}

static void send_result(struct avd__init *init, bool there, uint64_t wall_ns)
{
	const struct avd__probe *probe = &init->probe;
	uint8_t bits[AVD__CPUS_MAX / 8] = {0};
	char text[512];
	struct avd__text reason = avd__text_on(text, sizeof(text));
	const bool ok = there && all_done(init);

	for (uint32_t i = 0; i < probe->cpus; i++)
		if (avd__probe_done(probe, i))
			bits[probe->cpu[i] / 8] |= (uint8_t)(1u << (probe->cpu[i] % 8));
	if (!there)
		avd__text_add(&reason, "the scheduler was gone before the probe had ended; ");
	if (!ok)
		name_the_missing(init, &reason);
	struct avd_message message = {
		.kind = AVD_MSG_DISPATCH,
		.u.dispatch = {.ok = ok,
			       .cpus_online = probe->cpus,
			       .cpus_ok = {.data = bits,
					   .len = probe->cpu[probe->cpus - 1] / 8u + 1u},
			       .wall_ns = wall_ns,
			       .reason = avd__text_str(&reason)}};
	avd__channel_send(&init->channel, &message);
}

void avd__dispatch(struct avd__init *init)
{
	const uint64_t scaled = avd__scale(LIMIT, init->slowness);
	const uint64_t limit = scaled > LIMIT_FLOOR ? scaled : LIMIT_FLOOR;
	const uint64_t start = avd__guest_now();
	bool there;

	if (!init->probe.child.pid)
		return;
	avd__enter_phase(init, AVD_PHASE_DISPATCH);
	avd__probe_go(&init->probe);
	while ((there = avd__watch(init)) && !all_done(init) && avd__guest_now() - start < limit &&
	       avd__child_alive(&init->probe.child))
		avd__turn(init, INTERVAL);
	const uint64_t took = avd__guest_now() - start;
	/* Once more: the counters were read after the scheduler. */
	there = there && avd__watch(init);
	send_result(init, there, took);
}
