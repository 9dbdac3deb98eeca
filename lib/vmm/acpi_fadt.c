// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <string.h>

#include "vmm/acpi_table.h"

#define FADT_SIZE 276u /* revision 6 */

/* A generic address structure for a byte-wide I/O port. */
static void port_address(uint8_t *at, uint64_t port)
{
	at[0] = 1; /* system I/O */
	at[1] = 8; /* bits */
	at[2] = 0;
	at[3] = 1; /* byte access */
	memcpy(at + 4, &port, sizeof(port));
}

size_t avd__acpi_fadt(struct avd__acpi_writer *writer, size_t dsdt)
{
	/* Offsets of section 5.2.9; everything that is not written is zero. */
	const size_t start = avd__acpi_begin(writer, "FACP", 6);
	uint8_t body[FADT_SIZE] = {0};
	const uint32_t dsdt32 = (uint32_t)(AVD__ACPI_BASE + dsdt);
	const uint64_t dsdt64 = dsdt32;
	memcpy(body + 40, &dsdt32, sizeof(dsdt32));
	/* IAPC_BOOT_ARCH: no VGA, no MSI, no CMOS RTC (reading one that isn't there costs
	 * 20,000 exits); bit 1 clear: no 8042 to probe for. */
	const uint16_t boot_arch = 1u << 2 | 1u << 3 | 1u << 5;
	memcpy(body + 109, &boot_arch, sizeof(boot_arch));
	/* WBINVD, reset register, hardware-reduced. */
	const uint32_t flags = 1u << 0 | 1u << 10 | 1u << 20;
	memcpy(body + 112, &flags, sizeof(flags));
	port_address(body + 116, 0x64); /* RESET_REG: the keyboard controller's */
	body[128] = 0xfe; /* RESET_VALUE */
	body[131] = 5; /* minor revision */
	memcpy(body + 140, &dsdt64, sizeof(dsdt64));
	port_address(body + 244, AVD__ACPI_SLEEP_PORT);
	port_address(body + 256, AVD__ACPI_SLEEP_STATUS_PORT);
	avd__acpi_put(writer, body + AVD__ACPI_HEADER_SIZE, sizeof(body) - AVD__ACPI_HEADER_SIZE);
	avd__acpi_end(writer, start);
	return start;
}
