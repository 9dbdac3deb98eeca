// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/room.h"

#include <attachverdict/machine.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From this version of QEMU on emulation has a thread for each CPU (lib/qemu). */
#define THREAD_EACH_SINCE 10u

/* Bytes that can be had without swapping; UINT64_MAX if the kernel does not say. */
static uint64_t available(void)
{
	static const char name[] = "MemAvailable:";
	char line[128];
	uint64_t kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	while (file && !kib && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, sizeof(name) - 1) == 0)
			kib = strtoull(line + sizeof(name) - 1, NULL, 10);
	}
	if (file)
		fclose(file);
	return kib ? kib << 10 : UINT64_MAX;
}

void avd__room_init(struct avd__room *room, uint32_t jobs, uint32_t machine, const char *qemu)
{
	struct avd_machine_info info;
	cpu_set_t cpus;
	*room = (struct avd__room){.jobs = jobs, .cpus = 1};
	/* Those that this process may use: a batch system gives a job only some. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		room->cpus = (uint32_t)CPU_COUNT(&cpus);
	else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
		room->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	room->memory = available() / 100 * AVD__ROOM_MEMORY_PERCENT;
	/* Without a machine each cell will say so itself. */
	room->one_thread = avd_machine_probe(machine, qemu, &info, NULL, 0) == 0 &&
			   strcmp(info.accel, "tcg") == 0 && info.version[0] < THREAD_EACH_SINCE;
}

static uint32_t cost(const struct avd__room *room, uint32_t cpus)
{
	return room->one_thread ? 1 : cpus;
}

bool avd__room_take(struct avd__room *room, uint32_t cpus, uint64_t memory_bytes)
{
	const uint64_t memory = memory_bytes + AVD__ROOM_MACHINE_BYTES;
	if (room->jobs) {
		if (room->running >= room->jobs)
			return false;
	} else if (room->running && (room->cpus_taken + cost(room, cpus) > room->cpus ||
				     room->memory_taken + memory > room->memory)) {
		return false;
	}
	room->running++;
	room->cpus_taken += cost(room, cpus);
	room->memory_taken += memory;
	return true;
}

void avd__room_give(struct avd__room *room, uint32_t cpus, uint64_t memory_bytes)
{
	room->running--;
	room->cpus_taken -= cost(room, cpus);
	room->memory_taken -= memory_bytes + AVD__ROOM_MACHINE_BYTES;
}
