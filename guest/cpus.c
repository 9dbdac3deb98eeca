// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cpus.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* A list of every other one of 512 CPUs has 1 KiB; sysfs gives a page at most. */
#define LIST_MAX 4096u
/* index0 to index3 on x86; CPUID leaf 4 could tell of more. */
#define CACHES_MAX 8u

struct file {
	char text[LIST_MAX];
	size_t len; /* 0: not there */
};

static const struct file *read_file(int system, const char *name, struct file *file)
{
	const int fd = openat(system, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, file->text, sizeof(file->text));

	file->len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
	return file;
}

/* "0-3,8\n": takes the next number; *at is where to go on, *last the end of a range. */
struct list {
	const struct file *file;
	size_t at;
	uint64_t next, last;
	bool in_range;
};

static bool list_next(struct list *list, uint64_t *ret_number)
{
	const struct file *file = list->file;

	if (!list->in_range) {
		if (list->at < file->len && file->text[list->at] == ',')
			list->at++;
		if (!avd__bytes_number(file->text, file->len, &list->at, &list->next))
			return false;
		list->last = list->next;
		if (list->at < file->len && file->text[list->at] == '-') {
			list->at++;
			if (!avd__bytes_number(file->text, file->len, &list->at, &list->last))
				return false;
		}
	}
	*ret_number = list->next++;
	list->in_range = list->next <= list->last;
	return true;
}

static uint32_t list_count(const struct file *file)
{
	struct list list = {.file = file};
	uint64_t number;
	uint32_t count = 0;

	while (count < UINT16_MAX && list_next(&list, &number))
		count++;
	return count;
}

static uint16_t file_number(const struct file *file)
{
	size_t at = 0;
	uint64_t number;

	return avd__bytes_number(file->text, file->len, &at, &number) && number < UINT16_MAX
		       ? (uint16_t)number
		       : AVD_TOPOLOGY_UNKNOWN;
}

/* By number; those that are not online keep `core` unknown only until they are asked for. */
struct cpus {
	bool online[AVD_TOPOLOGY_CPUS_MAX];
	struct avd_topology_cpu cpu[AVD_TOPOLOGY_CPUS_MAX];
	struct file file;
};

static void read_nodes(int system, struct cpus *cpus, uint32_t *ret_nodes)
{
	static struct file nodes;
	struct list list = {.file = read_file(system, "node/online", &nodes)};
	uint64_t node, cpu;
	char name[64];

	*ret_nodes = nodes.len ? list_count(&nodes) : 1;
	while (list_next(&list, &node) && node < UINT16_MAX) {
		snprintf(name, sizeof(name), "node/node%u/cpulist", (unsigned int)node);
		struct list members = {.file = read_file(system, name, &cpus->file)};
		while (list_next(&members, &cpu) && cpu < AVD_TOPOLOGY_CPUS_MAX)
			cpus->cpu[cpu].node = (uint16_t)node;
	}
}

/* Once for each core: its threads name one another. */
static void read_core(int system, struct cpus *cpus, uint16_t first)
{
	char name[64];
	uint64_t cpu;
	uint16_t thread = 0;

	snprintf(name, sizeof(name), "cpu/cpu%u/topology/physical_package_id", first);
	const uint16_t package = file_number(read_file(system, name, &cpus->file));
	snprintf(name, sizeof(name), "cpu/cpu%u/topology/thread_siblings_list", first);
	struct list list = {.file = read_file(system, name, &cpus->file)};
	cpus->cpu[first].core = first; /* also when there is no list */
	cpus->cpu[first].package = package;
	while (list_next(&list, &cpu) && cpu < AVD_TOPOLOGY_CPUS_MAX) {
		struct avd_topology_cpu *member = &cpus->cpu[cpu];
		if (cpu != first && (!cpus->online[cpu] || member->core != AVD_TOPOLOGY_UNKNOWN))
			continue;
		member->core = first;
		member->package = package;
		member->thread = thread++;
	}
}

/* Once for each last-level cache: the CPUs that share the cache of the highest level. */
static void read_llc(int system, struct cpus *cpus, uint16_t first)
{
	char name[64];
	uint64_t cpu;
	uint16_t highest = 0;
	unsigned int found = 0;

	for (unsigned int i = 0; i < CACHES_MAX; i++) {
		snprintf(name, sizeof(name), "cpu/cpu%u/cache/index%u/level", first, i);
		const uint16_t level = file_number(read_file(system, name, &cpus->file));
		if (level == AVD_TOPOLOGY_UNKNOWN)
			break;
		if (level > highest) {
			highest = level;
			found = i;
		}
	}
	if (!highest)
		return;
	cpus->cpu[first].llc = first;
	snprintf(name, sizeof(name), "cpu/cpu%u/cache/index%u/shared_cpu_list", first, found);
	struct list list = {.file = read_file(system, name, &cpus->file)};
	while (list_next(&list, &cpu) && cpu < AVD_TOPOLOGY_CPUS_MAX)
		if (cpus->online[cpu] && cpus->cpu[cpu].llc == AVD_TOPOLOGY_UNKNOWN)
			cpus->cpu[cpu].llc = first;
}

static void read_online(int system, struct cpus *cpus)
{
	struct list list = {.file = read_file(system, "cpu/online", &cpus->file)};
	uint64_t cpu;

	for (uint16_t i = 0; i < AVD_TOPOLOGY_CPUS_MAX; i++) {
		cpus->online[i] = false;
		cpus->cpu[i] = (struct avd_topology_cpu){.cpu = i,
							 .package = AVD_TOPOLOGY_UNKNOWN,
							 .llc = AVD_TOPOLOGY_UNKNOWN,
							 .core = AVD_TOPOLOGY_UNKNOWN};
	}
	while (list_next(&list, &cpu) && cpu < AVD_TOPOLOGY_CPUS_MAX)
		cpus->online[cpu] = true;
}

void avd__cpus_read(int system, struct avd__cpus *ret)
{
	static struct cpus cpus; /* PID 1's stack is small and locked */

	read_online(system, &cpus);
	ret->possible = list_count(read_file(system, "cpu/possible", &cpus.file));
	read_nodes(system, &cpus, &ret->nodes);
	ret->len = 0;
	for (uint16_t i = 0; i < AVD_TOPOLOGY_CPUS_MAX; i++) {
		if (!cpus.online[i])
			continue;
		if (cpus.cpu[i].core == AVD_TOPOLOGY_UNKNOWN)
			read_core(system, &cpus, i);
		if (cpus.cpu[i].llc == AVD_TOPOLOGY_UNKNOWN)
			read_llc(system, &cpus, i);
		avd__cpus_put(ret->table + ret->len, &cpus.cpu[i]);
		ret->len += AVD__CPU_RECORD_SIZE;
	}
}
