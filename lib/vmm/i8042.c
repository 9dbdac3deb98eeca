// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/i8042.h"

void avd__i8042_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count)
{
	struct avd__i8042 *i8042 = device;
	(void)reg;
	for (size_t i = 0; i < count; i++) {
		i8042->state.command = bytes[i];
		if (bytes[i] == AVD__I8042_PULSE_RESET)
			i8042->reset(i8042->userdata);
	}
}

/* Neither buffer is full: one that never empties costs the kernel a second of waiting. */
uint8_t avd__i8042_read(void *device, uint32_t reg)
{
	(void)device;
	(void)reg;
	return 0;
}
