// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "budget.h"

#include "clock.h"

uint32_t avd__slowness_clamp(uint64_t permille)
{
	if (permille < AVD__SLOWNESS_MIN)
		return AVD__SLOWNESS_MIN;
	return permille > AVD__SLOWNESS_MAX ? AVD__SLOWNESS_MAX : (uint32_t)permille;
}

uint64_t avd__scale(uint64_t amount, uint32_t slowness_permille)
{
	if (amount > UINT64_MAX / AVD__SLOWNESS_MAX)
		return UINT64_MAX; /* "no limit", however it was written */
	return amount * avd__slowness_clamp(slowness_permille) / 1000;
}

uint64_t avd__patience(uint64_t ns, uint32_t slowness_permille)
{
	return ns + avd__scale(ns / 8, slowness_permille);
}

static uint64_t ms_to_ns(uint64_t ms)
{
	return ms > UINT64_MAX / AVD__NS_PER_MS ? UINT64_MAX : ms * AVD__NS_PER_MS;
}

void avd__budget_init(struct avd__budget *budget, uint64_t cpu_ms, uint64_t wall_ms,
		      uint32_t slowness_permille)
{
	const uint32_t wall_slowness = slowness_permille < AVD__WALL_SLOWNESS_MAX
					       ? slowness_permille
					       : AVD__WALL_SLOWNESS_MAX;

	*budget = (struct avd__budget){
		.cpu_limit = avd__scale(ms_to_ns(cpu_ms), slowness_permille),
		.wall_limit = avd__scale(ms_to_ns(wall_ms), wall_slowness),
	};
}

bool avd__budget_step(struct avd__budget *budget, uint64_t now, uint64_t cpu_ns)
{
	const uint64_t step = budget->last && now > budget->last ? now - budget->last : 0;

	budget->last = now;
	budget->wall += step < AVD__WALL_STEP_MAX ? step : AVD__WALL_STEP_MAX;
	if (cpu_ns > budget->cpu)
		budget->cpu = cpu_ns;
	return budget->cpu > budget->cpu_limit || budget->wall > budget->wall_limit;
}
