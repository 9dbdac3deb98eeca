// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Writes the ACPI tables of a machine to standard output, as they stand in its memory from
 * AVD__ACPI_BASE on: acpi_write TOPOLOGY MEMORY_MIB. For readers that are not ours. */
#include <stdio.h>
#include <stdlib.h>

#include "vmm/acpi.h"
#include "vmm/boot.h"

int main(int argc, char **argv)
{
	static uint8_t memory[AVD__ACPI_SIZE];
	struct avd__topology shape;
	struct avd__error error = {0};
	if (argc != 3 || avd__topology_parse(argv[1], &shape, &error) < 0) {
		fprintf(stderr, "usage: acpi_write TOPOLOGY MEMORY_MIB %s\n", error.text);
		return 2;
	}
	const uint64_t bytes = strtoull(argv[2], NULL, 10) << 20;
	const uint64_t low = bytes < AVD__MEMORY_LOW_MAX ? bytes : AVD__MEMORY_LOW_MAX;
	const struct avd__acpi machine = {
		.topology = &shape, .low_bytes = low, .high_bytes = bytes - low};
	if (avd__acpi_build(memory, &machine) < 0 ||
	    fwrite(memory, sizeof(memory), 1, stdout) != 1 || fflush(stdout) != 0)
		return 1;
	return 0;
}
