// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <attachverdict/verdict.h>
#include <string.h>

#include "clock.h"
#include "init.h"
#include "reason.h"

/* From the first sign of the end to what the kernel and the process have to say about it. */
#define WORDS_LIMIT AVD__NS_PER_S
/* While the kernel is disabling it has not said anything yet. It waits for others: for a CPU
 * that is being unplugged, which takes seconds on an emulated machine. */
#define DISABLING_LIMIT (10 * AVD__NS_PER_S)
#define READING_INTERVAL (2 * AVD__NS_PER_MS)

static bool is_there(struct avd__init *init, struct avd__scx_reading *scx)
{
	const bool before = avd__child_alive(&init->scheduler);

	avd__scx_read(&init->scx, scx);
	return before && avd__child_alive(&init->scheduler) && avd__gate_still(&init->gate, scx);
}

/* The kernel logs at the end of disabling; a process that was thrown out may end by itself. */
static void wait_for_words(struct avd__init *init, struct avd__scx_reading *scx)
{
	const uint64_t words = avd__patience(WORDS_LIMIT, init->slowness);
	const uint64_t disabling = avd__patience(DISABLING_LIMIT, init->slowness);
	const uint64_t start = avd__guest_now();

	while (avd__guest_now() - start < (scx->state == AVD__SCX_DISABLING ? disabling : words)) {
		const bool said = scx->state == AVD__SCX_DISABLED && init->facts.kernel.disabled;
		if (said &&
		    (init->scheduler.reaped || init->facts.kernel.kind >= AVD__SCX_EXIT_SYSRQ))
			break;
		avd__turn(init, READING_INTERVAL);
		avd__scx_read(&init->scx, scx);
	}
	avd__drain(init);
}

static void send_exit(struct avd__init *init, const struct avd__scx_reading *scx)
{
	const struct avd__kernel_facts *kernel = &init->facts.kernel;
	const bool dead = !avd__child_alive(&init->scheduler);
	const bool by_kernel = kernel->kind >= AVD__SCX_EXIT_SYSRQ;
	char text[AVD__REASON_MAX];
	struct avd__text reason = avd__text_on(text, sizeof(text));

	if (kernel->disabled)
		avd__text_quote(&reason, kernel->reason.text, kernel->reason.len);
	else
		avd__text_add(&reason, "state=%s enable_seq=%llu->%llu",
			      avd__scx_state_name(scx->state),
			      (unsigned long long)init->gate.proof_seq,
			      (unsigned long long)scx->enable_seq);
	if (dead) {
		avd__text_add(&reason, "; its process ended");
		avd__reason_exit(&reason, &init->scheduler.exit);
		if (!by_kernel)
			avd__reason_output(&reason, &init->facts.output);
	}
	avd__tell_exit(init, dead && !by_kernel ? AVD_REASON_SCHEDULER_EXITED : AVD_REASON_EJECTED,
		       init->gone_at - init->phase_at, &reason);
}

bool avd__watch(struct avd__init *init)
{
	struct avd__scx_reading scx;

	if (init->gone)
		return false;
	if (is_there(init, &scx))
		return true;
	init->gone = true;
	init->gone_at = avd__guest_now();
	wait_for_words(init, &scx);
	send_exit(init, &scx);
	return false;
}
