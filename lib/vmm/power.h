/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The sleep control and sleep status registers of hardware-reduced ACPI: how the guest powers
 * off. Source: ACPI specification 6.5, sections 4.8.3.7 and 4.8.3.8.
 */
#ifndef AVD_LIB_VMM_POWER_H
#define AVD_LIB_VMM_POWER_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/acpi.h"

/* The control register, then the status register. */
#define AVD__POWER_PORTS 2u
_Static_assert(AVD__ACPI_SLEEP_STATUS_PORT == AVD__ACPI_SLEEP_PORT + 1,
	       "the two registers stand side by side");

/* The whole state, plain data: it can be copied, saved and restored. */
struct avd__power_state {
	uint8_t control; /* as last written */
};

struct avd__power {
	struct avd__power_state state;
	void *userdata;
	void (*off)(void *userdata);
};

void avd__power_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
uint8_t avd__power_read(void *device, uint32_t reg);

#endif
