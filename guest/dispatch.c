// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "init.h"
#include "reason.h"

/* The kernel throws a scheduler out that keeps a task waiting for its timeout_ms, 30 s at
 * most (SCX_WATCHDOG_MAX_TIMEOUT): wait for that to happen, it tells more than silence. */
#define LIMIT_FLOOR (35 * AVD__NS_PER_S)
/* What a handful of tasks, and what those of `full`, may take on the nominal machine; scaled. */
#define LIMIT_QUICK (5 * AVD__NS_PER_S)
#define LIMIT_FULL (30 * AVD__NS_PER_S)
#define INTERVAL (2 * AVD__NS_PER_MS)

#define MODE_FULL 2u /* of the cell frame */

/* What was seen to be done at a time when the scheduler was seen to be there afterwards, with
 * the same enable_seq as at the start: so it was there all the time. The rest could be the work
 * of the kernel's own scheduler, after an ejection. */
struct progress {
	uint32_t tasks; /* that count, from the first one on */
	uint32_t done, failed;
	uint64_t total;
	uint32_t rounds[AVD__PROBE_TASKS_MAX];
};

static bool is_done(const struct avd__init *init, const struct progress *progress, uint32_t task)
{
	return progress->rounds[task] >= avd__probe_rounds_due(&init->probe, task);
}

static bool is_complete(const struct progress *progress)
{
	return progress->done == progress->tasks;
}

static bool look(struct avd__init *init, struct progress *progress)
{
	static struct progress now;

	now = (struct progress){.tasks = progress->tasks};
	for (uint32_t i = 0; i < now.tasks; i++) {
		now.rounds[i] = avd__probe_rounds(&init->probe, i);
		now.total += now.rounds[i];
		now.done += is_done(init, &now, i);
		now.failed += !is_done(init, &now, i) && avd__probe_error(&init->probe, i);
	}
	if (!avd__watch(init))
		return false;
	*progress = now;
	return true;
}

/* "CPUs 0-3,7 made no progress in 35002 ms", of those that did something or did not. */
static void name_cpus(const struct avd__init *init, const struct progress *progress, bool some,
		      const char *when, struct avd__text *reason)
{
	const struct avd__probe *probe = &init->probe;
	static uint16_t missing[AVD__CPUS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < probe->cpus; i++)
		if (!is_done(init, progress, i) && (progress->rounds[i] > 0) == some)
			missing[count++] = probe->cpu[i];
	if (!count)
		return;
	avd__text_add(reason, reason->len ? "; " : "");
	avd__text_cpus(reason, missing, count);
	avd__text_add(reason, some ? " made too little progress %s" : " made no progress %s", when);
}

static void name_tasks(const struct avd__init *init, const struct progress *progress,
		       const char *when, struct avd__text *reason)
{
	static const char *const what[AVD__PROBE_ROLES] = {
		[AVD__PROBE_FREE] = "unpinned tasks",
		[AVD__PROBE_WAKER] = "tasks that wake each other",
		[AVD__PROBE_WALKER] = "tasks that change their CPU",
		[AVD__PROBE_NORMAL] = "tasks of the normal policy",
	};
	uint32_t first = init->probe.cpus;

	for (int role = AVD__PROBE_FREE; role < AVD__PROBE_ROLES; role++) {
		const uint32_t count = init->probe.count[role];
		uint32_t missing = 0, none = 0;
		for (uint32_t i = first; i < first + count && i < progress->tasks; i++) {
			missing += !is_done(init, progress, i);
			none += !progress->rounds[i];
		}
		first += count;
		if (missing)
			avd__text_add(reason, "%s%u of %u %s made %s progress %s",
				      reason->len ? "; " : "", missing, count, what[role],
				      none == missing ? "no" : "too little", when);
	}
}

/* `there`: else no task is one of sched_ext's any more, which says nothing. */
static void name_errors(const struct avd__init *init, const struct progress *progress, bool there,
			struct avd__text *reason)
{
	const struct avd__probe *probe = &init->probe;
	uint32_t outside = 0, broken = 0;
	int error = 0;

	for (uint32_t i = 0; i < progress->tasks; i++) {
		if (avd__probe_error(probe, i) == AVD__PROBE_OUTSIDE) {
			outside++;
		} else if (avd__probe_error(probe, i)) {
			broken++;
			error = avd__probe_error(probe, i);
		}
	}
	if (outside && there)
		avd__text_add(reason, "; %u of %u tasks ran, but not as tasks of sched_ext",
			      outside, progress->tasks);
	if (broken)
		avd__text_add(reason, "; %u of %u tasks could not be set up: %s", broken,
			      progress->tasks, strerror(error));
	if (probe->child.exit.signal)
		avd__text_add(reason, "; the probe was killed by signal %u",
			      probe->child.exit.signal);
}

static void send_result(struct avd__init *init, const struct progress *progress, bool there,
			uint64_t wall_ns)
{
	const struct avd__probe *probe = &init->probe;
	uint8_t bits[AVD__CPUS_MAX / 8] = {0};
	char text[AVD__REASON_MAX], when_text[80];
	struct avd__text reason = avd__text_on(text, sizeof(text));
	struct avd__text when = avd__text_on(when_text, sizeof(when_text));

	for (uint32_t i = 0; i < probe->cpus; i++)
		if (is_done(init, progress, i))
			bits[probe->cpu[i] / 8] |= (uint8_t)(1u << (probe->cpu[i] % 8));
	if (!is_complete(progress)) {
		avd__text_add(&when, "in %" PRIu64 " ms%s", wall_ns / AVD__NS_PER_MS,
			      there ? "" : ", until the scheduler was gone");
		name_cpus(init, progress, false, when.data, &reason);
		name_cpus(init, progress, true, when.data, &reason);
		name_tasks(init, progress, when.data, &reason);
		name_errors(init, progress, there, &reason);
	}
	struct avd_message message = {
		.kind = AVD_MSG_DISPATCH,
		.u.dispatch = {.ok = is_complete(progress),
			       .cpus_online = probe->cpus,
			       .cpus_ok = {.data = bits,
					   .len = probe->cpu[probe->cpus - 1] / 8u + 1u},
			       .wall_ns = wall_ns,
			       .reason = avd__text_str(&reason),
			       .mode = init->config.cell.dispatch,
			       .tasks = progress->tasks,
			       .tasks_ok = progress->done,
			       .rounds = progress->total}};
	avd__channel_send(&init->channel, &message);
}

static uint64_t time_limit(const struct avd__init *init)
{
	const struct avd_msg_cell *cell = &init->config.cell;
	const uint64_t scaled =
		avd__scale(cell->dispatch == MODE_FULL ? LIMIT_FULL : LIMIT_QUICK, init->slowness);

	if (cell->dispatch_ms)
		return cell->dispatch_ms > UINT64_MAX / AVD__NS_PER_MS
			       ? UINT64_MAX
			       : cell->dispatch_ms * AVD__NS_PER_MS;
	return scaled > LIMIT_FLOOR ? scaled : LIMIT_FLOOR;
}

void avd__dispatch(struct avd__init *init)
{
	static struct progress progress;
	const uint64_t limit = time_limit(init);
	bool there;

	if (!init->probe.child.pid)
		return;
	avd__enter_phase(init, AVD_PHASE_DISPATCH);
	progress.tasks = init->probe.tasks;
	/* Those of the normal policy, which come last, are its own only if it takes all. */
	if (!init->switch_all)
		progress.tasks -= init->probe.count[AVD__PROBE_NORMAL];
	const uint64_t start = avd__guest_now();
	there = avd__watch(init);
	if (there)
		avd__probe_go(&init->probe, init->switch_all);
	while (there && (there = look(init, &progress)) &&
	       progress.done + progress.failed < progress.tasks) {
		/* A probe that was killed will not go on; what its tasks did is seen. */
		if (avd__guest_now() - start >= limit || init->probe.child.reaped)
			break;
		avd__turn(init, INTERVAL);
	}
	send_result(init, &progress, there, (there ? avd__guest_now() : init->gone_at) - start);
}
