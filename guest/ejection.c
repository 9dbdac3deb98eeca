// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The scheduler-exit frame: all that is known of the scheduler's end. */
#include <string.h>

#include "clock.h"
#include "init.h"

/* The kernel logs in the middle of disabling, the probe fires at its end: milliseconds later,
 * unless the machine is busy. */
#define PROBE_LIMIT AVD__NS_PER_S
#define INTERVAL (2 * AVD__NS_PER_MS)

static void wait_for_probe(struct avd__init *init)
{
	const uint64_t limit = avd__patience(PROBE_LIMIT, init->slowness);
	const uint64_t start = avd__guest_now();

	while (init->programs.exit.record && init->facts.kernel.disabled &&
	       !init->facts.kernel.probed && avd__guest_now() - start < limit)
		avd__turn(init, INTERVAL);
}

/* At most what the probe's record holds, in frames like those of output. */
static void send_dump(struct avd__init *init)
{
	const char *dump = init->programs.exit.record ? init->programs.exit.record->dump : NULL;
	const uint64_t limit = init->config.cell.log_limit;

	if (!dump || !init->facts.kernel.probed)
		return;
	size_t size = strnlen(dump, sizeof(init->programs.exit.record->dump));
	const size_t dropped = size > limit ? size - (size_t)limit : 0;
	size -= dropped;
	for (size_t at = 0; at < size; at += AVD__LOG_CHUNK) {
		const size_t n = size - at < AVD__LOG_CHUNK ? size - at : AVD__LOG_CHUNK;
		struct avd_message message = {
			.kind = AVD_MSG_LOG,
			.u.log = {.stream = AVD_STREAM_DUMP,
				  .bytes = {.data = (const uint8_t *)dump + at, .len = n},
				  .dropped = dropped}};
		avd__channel_send(&init->channel, &message);
	}
}

void avd__tell_exit(struct avd__init *init, uint32_t code, uint64_t phase_ns,
		    const struct avd__text *reason)
{
	const struct avd__kernel_facts *kernel = &init->facts.kernel;

	wait_for_probe(init);
	struct avd_message message = {
		.kind = AVD_MSG_SCHEDULER_EXIT,
		.u.scheduler_exit = {
			.exit_kind = kernel->kind,
			.exit_code = kernel->exit_code,
			.code = code,
			.phase = init->phase,
			.phase_ns = phase_ns,
			.source = kernel->probed ? AVD_EXIT_FROM_PROBE : AVD_EXIT_FROM_KERNEL_LOG,
			.reason = avd__text_str(reason),
			.message = {.data = kernel->message.text, .len = kernel->message.len},
			.backtrace = {.data = kernel->backtrace, .len = kernel->backtrace_len}}};

	send_dump(init);
	avd__channel_send(&init->channel, &message);
}
