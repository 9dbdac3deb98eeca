// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/power.h"

enum { REG_CONTROL, REG_STATUS };

void avd__power_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count)
{
	struct avd__power *power = device;
	if (reg != REG_CONTROL)
		return; /* clearing a wake status that is never set */
	for (size_t i = 0; i < count; i++) {
		power->state.control = bytes[i];
		if (bytes[i] == AVD__ACPI_SLEEP_S5)
			power->off(power->userdata);
	}
}

/* SLP_EN reads as zero; nothing ever wakes this machine up. */
uint8_t avd__power_read(void *device, uint32_t reg)
{
	const struct avd__power *power = device;
	return reg == REG_CONTROL ? (uint8_t)(power->state.control & ~AVD__ACPI_SLEEP_ENABLE) : 0;
}
