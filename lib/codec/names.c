// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/fields.h"

static const char *name_of(const char *const *names, size_t count, uint32_t value)
{
	return value < count && names[value] ? names[value] : "unknown";
}
#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof((names)[0]), value)

const char *avd_message_kind_name(uint32_t kind)
{
	const struct avd__kind *found = avd__kind_find(kind);
	return found ? found->name : "unknown";
}

const char *avd_phase_name(uint32_t phase)
{
	static const char *const names[] = {
		[AVD_PHASE_BOOT] = "boot",	 [AVD_PHASE_START] = "start",
		[AVD_PHASE_GATE] = "gate",	 [AVD_PHASE_DISPATCH] = "dispatch",
		[AVD_PHASE_PAYLOAD] = "payload", [AVD_PHASE_TEARDOWN] = "teardown",
	};
	return NAME_OF(names, phase);
}

const char *avd_log_stream_name(uint32_t stream)
{
	static const char *const names[] = {
		[AVD_STREAM_SCHEDULER_STDOUT] = "scheduler-stdout",
		[AVD_STREAM_SCHEDULER_STDERR] = "scheduler-stderr",
		[AVD_STREAM_PAYLOAD_STDOUT] = "payload-stdout",
		[AVD_STREAM_PAYLOAD_STDERR] = "payload-stderr",
		[AVD_STREAM_INIT] = "init",
		[AVD_STREAM_DUMP] = "sched-ext-dump",
	};
	return NAME_OF(names, stream);
}

const char *avd_end_cause_name(uint32_t cause)
{
	static const char *const names[] = {
		[AVD_END_GUEST_RESET] = "guest-reset",
		[AVD_END_GUEST_SHUTDOWN] = "guest-shutdown",
		[AVD_END_TRIPLE_FAULT] = "triple-fault",
		[AVD_END_WATCHDOG] = "watchdog",
		[AVD_END_VCPU_ERROR] = "vcpu-error",
		[AVD_END_HOST_STOP] = "host-stop",
		[AVD_END_SPAWN_ERROR] = "spawn-error",
		[AVD_END_MACHINE_KILLED] = "machine-killed",
	};
	return NAME_OF(names, cause);
}
