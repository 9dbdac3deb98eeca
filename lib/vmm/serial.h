/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A 16550A UART, the sending half and as much of the rest as Linux's 8250 driver looks at.
 * Source: PC16550D data sheet; drivers/tty/serial/8250/8250_port.c of the kernel.
 */
#ifndef AVD_LIB_VMM_SERIAL_H
#define AVD_LIB_VMM_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVD__SERIAL_PORTS 8u
#define AVD__SERIAL_COM1 0x3f8u
#define AVD__SERIAL_COM2 0x2f8u

/* The whole state, plain data: it can be copied, saved and restored. */
struct avd__serial_state {
	uint8_t ier, fcr, lcr, mcr, scr;
	uint8_t dll, dlm;
	uint8_t received; /* by the loop-back */
	bool data_ready;
	bool thr_interrupt; /* the transmitter became empty, not yet acknowledged */
	bool line; /* the interrupt line as last driven */
};

struct avd__serial {
	struct avd__serial_state state;
	void *userdata;
	void (*transmit)(void *userdata, const uint8_t *bytes, size_t size);
	void (*interrupt)(void *userdata, bool level); /* NULL: no line */
};

void avd__serial_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
uint8_t avd__serial_read(void *device, uint32_t reg);

#endif
