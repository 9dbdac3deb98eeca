// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "report/format.h"

#include <attachverdict/message.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/shell.h"
#include "base/util.h"

void avd__put_duration(struct avd__buf *out, uint64_t ns)
{
	const uint64_t ms = ns / 1000000;
	if (ms < 1000)
		avd__buf_printf(out, "%" PRIu64 " ms", ms);
	else if (ms < 100000)
		avd__buf_printf(out, "%" PRIu64 ".%02" PRIu64 " s", ms / 1000, ms % 1000 / 10);
	else
		avd__buf_printf(out, "%" PRIu64 " s", ms / 1000);
}

void avd__put_size(struct avd__buf *out, uint64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned i = 0;
	uint64_t rest = 0;
	while (bytes >= 1024 && i + 1 < AVD__ARRAY_SIZE(unit)) {
		rest = bytes % 1024;
		bytes /= 1024;
		i++;
	}
	if (rest * 10 / 1024)
		avd__buf_printf(out, "%" PRIu64 ".%" PRIu64 " %s", bytes, rest * 10 / 1024,
				unit[i]);
	else
		avd__buf_printf(out, "%" PRIu64 " %s", bytes, unit[i]);
}

void avd__put_command(struct avd__buf *out, const char *items, size_t len)
{
	for (size_t i = 0; i < len;) {
		const size_t word = strnlen(items + i, len - i);
		if (i)
			avd__buf_puts(out, " ");
		avd__put_shell_word(out, items + i, word);
		i += word + 1;
	}
}

void avd__put_signal(struct avd__buf *out, uint32_t number)
{
	const char *name = number <= INT_MAX ? sigabbrev_np((int)number) : NULL;
	avd__buf_printf(out, "signal %" PRIu32, number);
	if (name)
		avd__buf_printf(out, " (SIG%s)", name);
}

void avd__put_errno(struct avd__buf *out, uint32_t number)
{
	const char *name = number <= INT_MAX ? strerrorname_np((int)number) : NULL;
	if (name)
		avd__buf_printf(out, "%s (%s)", strerrordesc_np((int)number), name);
	else
		avd__buf_printf(out, "error %" PRIu32, number);
}

const char *avd__exit_kind_name(uint64_t kind)
{
	switch (kind) {
	case 64:
		return "unregistered from user space";
	case 65:
		return "unregistered from BPF";
	case 66:
		return "unregistered from the main kernel";
	case 67:
		return "disabled by sysrq-S";
	case 1024:
		return "runtime error";
	case 1025:
		return "scx_bpf_error";
	case 1026:
		return "runnable task stall";
	default:
		return NULL;
	}
}

const char *avd__dispatch_mode_name(uint32_t mode)
{
	static const char *const names[] = {NULL, "quick", "full"};
	return mode < AVD__ARRAY_SIZE(names) ? names[mode] : NULL;
}

const char *avd__payload_end_name(uint32_t ended_by)
{
	static const char *const names[] = {
		[AVD_PAYLOAD_ENDED_ITSELF] = "itself",
		[AVD_PAYLOAD_TIME_LIMIT] = "time-limit",
		[AVD_PAYLOAD_SCHEDULER_GONE] = "scheduler-gone",
	};
	return ended_by < AVD__ARRAY_SIZE(names) ? names[ended_by] : "unknown";
}

void avd__put_missing_cpus(struct avd__buf *out, const uint8_t *bits, uint32_t count)
{
	const char *comma = "";
	for (uint32_t i = 0; i < count; i++) {
		uint32_t end = i;
		while (end < count && !(bits[end / 8] >> (end % 8) & 1))
			end++;
		if (end == i)
			continue;
		avd__buf_printf(out, "%s%" PRIu32, comma, i);
		if (end - i > 1)
			avd__buf_printf(out, "-%" PRIu32, end - 1);
		comma = ",";
		i = end;
	}
}
