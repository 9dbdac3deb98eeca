// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "codec/cpus.h"

static uint8_t *put(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return out + 2;
}

static uint16_t take(const uint8_t **at)
{
	const uint16_t value = (uint16_t)((*at)[0] << 8 | (*at)[1]);
	*at += 2;
	return value;
}

void avd__cpus_put(uint8_t *out, const struct avd_topology_cpu *cpu)
{
	out = put(out, cpu->cpu);
	out = put(out, cpu->node);
	out = put(out, cpu->package);
	out = put(out, cpu->llc);
	out = put(out, cpu->core);
	put(out, cpu->thread);
}

int avd_topology_next(struct avd_bytes *cpus, struct avd_topology_cpu *ret_cpu)
{
	const uint8_t *at = cpus->data;
	if (cpus->len < AVD__CPU_RECORD_SIZE)
		return 0;
	ret_cpu->cpu = take(&at);
	ret_cpu->node = take(&at);
	ret_cpu->package = take(&at);
	ret_cpu->llc = take(&at);
	ret_cpu->core = take(&at);
	ret_cpu->thread = take(&at);
	*cpus = (struct avd_bytes){at, cpus->len - AVD__CPU_RECORD_SIZE};
	return 1;
}
