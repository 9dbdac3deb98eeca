/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * What stands for the CMOS clock. Our FADT says that there is none; who reads it all the same
 * finds zeros, and so never an update in progress, for whose end kernels wait by 20,000 exits.
 * Source: MC146818A data sheet; arch/x86/kernel/rtc.c of the kernel.
 */
#ifndef AVD_LIB_VMM_RTC_H
#define AVD_LIB_VMM_RTC_H

#include <stddef.h>
#include <stdint.h>

/* The index register, then the data register. */
#define AVD__RTC_PORT 0x70u
#define AVD__RTC_PORTS 2u

/* The whole state, plain data: it can be copied, saved and restored. */
struct avd__rtc_state {
	uint8_t index; /* the register that was selected; the top bit masks NMIs */
};

struct avd__rtc {
	struct avd__rtc_state state;
};

void avd__rtc_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
uint8_t avd__rtc_read(void *device, uint32_t reg);

#endif
