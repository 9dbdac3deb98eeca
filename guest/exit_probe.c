// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "exit_probe.h"

bool avd__exit_probe_pump(struct avd__exit_probe *probe, struct avd__facts *facts)
{
	static struct avd__exit_record copy; /* 34 KiB */

	if (!probe->record)
		return false;
	const uint32_t count = __atomic_load_n(&probe->record->count, __ATOMIC_ACQUIRE);
	if (count == probe->seen)
		return false;
	/* Another end at this moment would mix two: the next turn takes that one. */
	copy = *probe->record;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&probe->record->count, __ATOMIC_RELAXED) != count)
		return true;
	probe->seen = count;
	avd__facts_exit(facts, &copy);
	return true;
}
