/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The ACPI tables of the machine: hardware-reduced, so no legacy device is looked for.
 * Source: ACPI specification 6.5.
 */
#ifndef AVD_LIB_VMM_ACPI_H
#define AVD_LIB_VMM_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "topology/topology.h"

#define AVD__ACPI_BASE 0xe0000u /* the BIOS area, where the RSDP is looked for, too */
#define AVD__ACPI_SIZE 0x20000u
/* System I/O ports of the sleep control and status registers. */
#define AVD__ACPI_SLEEP_PORT 0x600u
#define AVD__ACPI_SLEEP_STATUS_PORT 0x601u
/* What init's power-off writes there: SLP_EN and the type of our \_S5. */
#define AVD__ACPI_SLEEP_ENABLE 0x20u
#define AVD__ACPI_SLEEP_S5 (AVD__ACPI_SLEEP_ENABLE | 5u << 2)

#define AVD__LAPIC_BASE 0xfee00000u

/* What the tables tell of the machine. */
struct avd__acpi {
	const struct avd__topology *topology;
	uint64_t low_bytes, high_bytes; /* RAM, as in vmm/boot.h */
};

/* Writes the tables into memory (AVD__ACPI_SIZE bytes of zeros, which the guest has at
 * AVD__ACPI_BASE); the RSDP stands at its start. Returns 0, or -ENOSPC. */
int avd__acpi_build(uint8_t *memory, const struct avd__acpi *machine);

#endif
