// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* What the cell's machine cost. */
#include <errno.h>
#include <string.h>

#include "cell/internal.h"

void avd__cell_stats_begin(struct avd_cell *cell)
{
	cell->machine_started = cell->hooks.now(cell->hooks.userdata);
	cell->stats = (struct avd_machine_stats){
		.size = sizeof(cell->stats),
		.cpus = cell->config.cpus,
		.memory_bytes = cell->config.options.memory_bytes,
	};
}

static uint64_t since_start(const struct avd_cell *cell)
{
	return cell->hooks.now(cell->hooks.userdata) - cell->machine_started;
}

static void measure_memory(const struct avd_cell *cell, struct avd_machine_stats *stats)
{
	const struct avd__machine_ops *machine = cell->hooks.machine;
	if (machine->memory &&
	    machine->memory(cell->machine, &stats->ram_resident_bytes, &stats->overhead_bytes))
		stats->valid |= AVD_STAT_MEMORY;
}

void avd__cell_stats_channel(struct avd_cell *cell)
{
	if (cell->stats.valid & AVD_STAT_INIT)
		return;
	cell->stats.init_ns = since_start(cell);
	cell->stats.valid |= AVD_STAT_INIT;
	measure_memory(cell, &cell->stats);
}

void avd__cell_stats_decided(struct avd_cell *cell)
{
	if (cell->stats.valid & AVD_STAT_VERDICT)
		return;
	cell->stats.verdict_ns = since_start(cell);
	cell->stats.valid |= AVD_STAT_VERDICT;
}

static void ask_machine(const struct avd_cell *cell, struct avd_machine_stats *stats)
{
	const struct avd__machine_ops *machine = cell->hooks.machine;
	if (machine->stats) {
		stats->exits = stats->exits_io = stats->exits_mmio = stats->exits_hlt = 0;
		stats->exits_shutdown = stats->exits_intr = stats->exits_other = 0;
		machine->stats(cell->machine, stats);
	}
	stats->cpu_ns = machine->cpu_ns(cell->machine);
	stats->valid |= AVD_STAT_CPU;
}

void avd__cell_stats_update(struct avd_cell *cell)
{
	if (cell->machine)
		ask_machine(cell, &cell->stats);
}

int avd_cell_get_stats(const avd_cell *cell, struct avd_machine_stats *stats)
{
	struct avd_machine_stats now = cell->stats;
	if (!now.size || !stats || stats->size < sizeof(stats->size))
		return -EINVAL;
	if (cell->machine) {
		ask_machine(cell, &now);
		measure_memory(cell, &now);
	}
	now.size = stats->size < sizeof(now) ? stats->size : sizeof(now);
	memset(stats, 0, stats->size);
	memcpy(stats, &now, now.size);
	return 0;
}
