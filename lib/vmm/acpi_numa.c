// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi_table.h"
#include "vmm/numa.h"

/* Section 5.2.16: structure types; all flags have "enabled" as bit 0. */
enum { LOCAL_APIC = 0, MEMORY = 1, LOCAL_X2APIC = 2 };
#define ENABLED 1u
#define LOCAL_APIC_MAX 254u

/* Section 5.2.17: to itself, and to any other node, as a tenth of the time to oneself. */
#define DISTANCE_SELF 10u
#define DISTANCE_OTHER 20u

static void put_cpu(struct avd__acpi_writer *writer, const struct avd__topology_cpu *cpu)
{
	if (cpu->apic_id <= LOCAL_APIC_MAX) {
		avd__acpi_put8(writer, LOCAL_APIC);
		avd__acpi_put8(writer, 16);
		avd__acpi_put8(writer, (uint8_t)cpu->node); /* bits 7:0 of the domain */
		avd__acpi_put8(writer, (uint8_t)cpu->apic_id);
		avd__acpi_put32(writer, ENABLED);
		avd__acpi_put32(writer, 0); /* no SAPIC; bits 31:8 of the domain */
		avd__acpi_put32(writer, 0); /* clock domain */
	} else {
		avd__acpi_put8(writer, LOCAL_X2APIC);
		avd__acpi_put8(writer, 24);
		avd__acpi_put16(writer, 0);
		avd__acpi_put32(writer, cpu->node);
		avd__acpi_put32(writer, cpu->apic_id);
		avd__acpi_put32(writer, ENABLED);
		avd__acpi_put32(writer, 0); /* clock domain */
		avd__acpi_put32(writer, 0);
	}
}

static void put_memory(struct avd__acpi_writer *writer, const struct avd__numa_range *range)
{
	avd__acpi_put8(writer, MEMORY);
	avd__acpi_put8(writer, 40);
	avd__acpi_put32(writer, range->node);
	avd__acpi_put16(writer, 0);
	avd__acpi_put64(writer, range->start);
	avd__acpi_put64(writer, range->size);
	avd__acpi_put32(writer, 0);
	avd__acpi_put32(writer, ENABLED);
	avd__acpi_put64(writer, 0);
}

size_t avd__acpi_srat(struct avd__acpi_writer *writer, const struct avd__acpi *machine)
{
	struct avd__numa_range ranges[AVD__NUMA_RANGES_MAX];
	const uint32_t count = avd__numa_ranges(machine->topology->nodes, machine->low_bytes,
						machine->high_bytes, ranges);
	const size_t start = avd__acpi_begin(writer, "SRAT", 3);
	avd__acpi_put32(writer, 1); /* "reserved to be 1" */
	avd__acpi_put64(writer, 0);
	for (uint32_t i = 0; i < machine->topology->cpus; i++) {
		struct avd__topology_cpu cpu;
		avd__topology_cpu(machine->topology, i, &cpu);
		put_cpu(writer, &cpu);
	}
	for (uint32_t i = 0; i < count; i++)
		put_memory(writer, &ranges[i]);
	avd__acpi_end(writer, start);
	return start;
}

size_t avd__acpi_slit(struct avd__acpi_writer *writer, uint32_t nodes)
{
	const size_t start = avd__acpi_begin(writer, "SLIT", 1);
	avd__acpi_put64(writer, nodes);
	for (uint32_t i = 0; i < nodes * nodes; i++)
		avd__acpi_put8(writer, i / nodes == i % nodes ? DISTANCE_SELF : DISTANCE_OTHER);
	avd__acpi_end(writer, start);
	return start;
}
