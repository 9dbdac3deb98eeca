// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/acpi.h"

#include <errno.h>

#include "vmm/acpi_table.h"

/* The tables stand behind the RSDP. */
#define TABLES_AT 64u
#define RSDP_SIZE 36u
#define RSDP_1_SIZE 20u /* of ACPI 1, which the first checksum covers */

/* Section 5.2.5.3. */
static void write_rsdp(uint8_t *memory, size_t xsdt)
{
	struct avd__acpi_writer writer = {.memory = memory};
	avd__acpi_put(&writer, "RSD PTR ", 8);
	avd__acpi_put8(&writer, 0);
	avd__acpi_put(&writer, "AVDICT", 6);
	avd__acpi_put8(&writer, 2);
	avd__acpi_put32(&writer, 0); /* no RSDT */
	avd__acpi_put32(&writer, RSDP_SIZE);
	avd__acpi_put64(&writer, AVD__ACPI_BASE + xsdt);
	avd__acpi_put32(&writer, 0);
	memory[8] = avd__acpi_checksum(memory, RSDP_1_SIZE);
	memory[32] = avd__acpi_checksum(memory, RSDP_SIZE);
}

int avd__acpi_build(uint8_t *memory, const struct avd__acpi *machine)
{
	struct avd__acpi_writer writer = {.memory = memory, .len = TABLES_AT};
	size_t tables[4], count = 0;
	const size_t dsdt = avd__acpi_dsdt(&writer); /* not in the XSDT: the FADT has it */
	tables[count++] = avd__acpi_fadt(&writer, dsdt);
	tables[count++] = avd__acpi_madt(&writer, machine->topology);
	/* Without these a kernel takes everything for one node, which it then is. */
	if (machine->topology->nodes > 1) {
		tables[count++] = avd__acpi_srat(&writer, machine);
		tables[count++] = avd__acpi_slit(&writer, machine->topology->nodes);
	}
	const size_t xsdt = avd__acpi_begin(&writer, "XSDT", 1);
	for (size_t i = 0; i < count; i++)
		avd__acpi_put64(&writer, AVD__ACPI_BASE + tables[i]);
	avd__acpi_end(&writer, xsdt);
	if (writer.full)
		return -ENOSPC;
	write_rsdp(memory, xsdt);
	return 0;
}
