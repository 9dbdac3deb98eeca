// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi_table.h"
#include "vmm/ioapic.h"

/* Section 5.2.12: structure types and the flag of a CPU that is there. */
enum { LOCAL_APIC = 0, IO_APIC = 1, LOCAL_X2APIC = 9 };
#define ENABLED 1u
/* The highest id that a local APIC entry may have; 255 is everybody. */
#define LOCAL_APIC_MAX 254u

size_t avd__acpi_madt(struct avd__acpi_writer *writer, const struct avd__topology *topology)
{
	const size_t start = avd__acpi_begin(writer, "APIC", 5);
	avd__acpi_put32(writer, AVD__LAPIC_BASE);
	avd__acpi_put32(writer, 0); /* no 8259 */
	for (uint32_t i = 0; i < topology->cpus; i++) {
		struct avd__topology_cpu cpu;
		avd__topology_cpu(topology, i, &cpu);
		if (cpu.apic_id <= LOCAL_APIC_MAX) {
			avd__acpi_put8(writer, LOCAL_APIC);
			avd__acpi_put8(writer, 8);
			avd__acpi_put8(writer, (uint8_t)i);
			avd__acpi_put8(writer, (uint8_t)cpu.apic_id);
			avd__acpi_put32(writer, ENABLED);
		} else {
			avd__acpi_put8(writer, LOCAL_X2APIC);
			avd__acpi_put8(writer, 16);
			avd__acpi_put16(writer, 0);
			avd__acpi_put32(writer, cpu.apic_id);
			avd__acpi_put32(writer, ENABLED);
			avd__acpi_put32(writer, i);
		}
	}
	avd__acpi_put8(writer, IO_APIC);
	avd__acpi_put8(writer, 12);
	avd__acpi_put8(writer, 0); /* its id */
	avd__acpi_put8(writer, 0);
	avd__acpi_put32(writer, AVD__IOAPIC_BASE);
	avd__acpi_put32(writer, AVD__IOAPIC_FIRST);
	avd__acpi_end(writer, start);
	return start;
}
