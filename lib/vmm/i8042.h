/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * Of the keyboard controller only the line to the CPU's reset pin: what `reboot=k` and the
 * reset register of our FADT write to. No keyboard, so no data ever waits.
 * Source: drivers/input/serio/i8042.h and arch/x86/kernel/reboot.c of the kernel.
 */
#ifndef AVD_LIB_VMM_I8042_H
#define AVD_LIB_VMM_I8042_H

#include <stddef.h>
#include <stdint.h>

/* The command and status port; the data port, 0x60, is left to nobody: all ones. */
#define AVD__I8042_PORT 0x64u
#define AVD__I8042_PULSE_RESET 0xfeu

/* The whole state, plain data: it can be copied, saved and restored. */
struct avd__i8042_state {
	uint8_t command; /* the last one */
};

struct avd__i8042 {
	struct avd__i8042_state state;
	void *userdata;
	void (*reset)(void *userdata);
};

void avd__i8042_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
uint8_t avd__i8042_read(void *device, uint32_t reg);

#endif
