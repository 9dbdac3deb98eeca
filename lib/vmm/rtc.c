// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/rtc.h"

enum { REG_INDEX, REG_DATA };

void avd__rtc_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count)
{
	struct avd__rtc *rtc = device;
	if (reg == REG_INDEX)
		rtc->state.index = bytes[count - 1];
}

uint8_t avd__rtc_read(void *device, uint32_t reg)
{
	const struct avd__rtc *rtc = device;
	return reg == REG_INDEX ? rtc->state.index : 0;
}
