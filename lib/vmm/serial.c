// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/serial.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RECEIVE 0x01u
#define IER_TRANSMIT 0x02u
#define IIR_NONE 0x01u
#define IIR_TRANSMIT 0x02u
#define IIR_RECEIVE 0x04u
#define IIR_FIFO 0xc0u
#define FCR_FIFO 0x01u
#define LCR_DLAB 0x80u
#define MCR_LOOP 0x10u
#define LSR_READY 0x01u
#define LSR_EMPTY 0x60u /* holding and shift register: always, sending takes no time */
#define MSR_CONNECTED 0xb0u /* carrier, data set ready, clear to send */

static uint8_t pending(const struct avd__serial_state *state)
{
	if ((state->ier & IER_RECEIVE) && state->data_ready)
		return IIR_RECEIVE;
	if ((state->ier & IER_TRANSMIT) && state->thr_interrupt)
		return IIR_TRANSMIT;
	return IIR_NONE;
}

static void update_line(struct avd__serial *serial)
{
	const bool level = pending(&serial->state) != IIR_NONE;
	if (level == serial->state.line)
		return;
	serial->state.line = level;
	if (serial->interrupt)
		serial->interrupt(serial->userdata, level);
}

static void write_data(struct avd__serial *serial, const uint8_t *bytes, size_t count)
{
	struct avd__serial_state *state = &serial->state;
	if (state->mcr & MCR_LOOP) {
		state->received = bytes[count - 1];
		state->data_ready = true;
	} else {
		serial->transmit(serial->userdata, bytes, count);
	}
	/* The line falls and rises again, since the IO-APIC takes an edge: the driver waits for
	 * one interrupt for each burst. */
	state->thr_interrupt = false;
	update_line(serial);
	state->thr_interrupt = true;
}

void avd__serial_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count)
{
	struct avd__serial *serial = device;
	struct avd__serial_state *state = &serial->state;
	const uint8_t value =
		bytes[count - 1]; /* a string write to a register: the last one stays */
	switch (reg) {
	case REG_DATA:
		if (state->lcr & LCR_DLAB)
			state->dll = value;
		else
			write_data(serial, bytes, count);
		break;
	case REG_IER:
		if (state->lcr & LCR_DLAB) {
			state->dlm = value;
			break;
		}
		/* Enabling it with an empty transmitter interrupts at once. */
		if (!(state->ier & IER_TRANSMIT) && (value & IER_TRANSMIT))
			state->thr_interrupt = true;
		state->ier = value & 0x0f;
		break;
	case REG_IIR_FCR:
		state->fcr = value;
		break;
	case REG_LCR:
		state->lcr = value;
		break;
	case REG_MCR:
		state->mcr = value & 0x1f;
		break;
	case REG_SCR:
		state->scr = value;
		break;
	default:
		break; /* LSR and MSR are read-only */
	}
	update_line(serial);
}

static uint8_t read_msr(const struct avd__serial_state *state)
{
	if (!(state->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	/* The outputs come back as inputs: DTR as DSR, RTS as CTS, OUT1 as RI, OUT2 as DCD. */
	return (uint8_t)((state->mcr & 0x01) << 5 | (state->mcr & 0x02) << 3 |
			 (state->mcr & 0x04) << 4 | (state->mcr & 0x08) << 4);
}

uint8_t avd__serial_read(void *device, uint32_t reg)
{
	struct avd__serial *serial = device;
	struct avd__serial_state *state = &serial->state;
	uint8_t value = 0;
	switch (reg) {
	case REG_DATA:
		if (state->lcr & LCR_DLAB)
			return state->dll;
		value = state->received;
		state->received = 0;
		state->data_ready = false;
		break;
	case REG_IER:
		return state->lcr & LCR_DLAB ? state->dlm : state->ier;
	case REG_IIR_FCR:
		value = pending(state);
		if (value == IIR_TRANSMIT)
			state->thr_interrupt = false; /* reading it acknowledges */
		value |= state->fcr & FCR_FIFO ? IIR_FIFO : 0;
		break;
	case REG_LCR:
		return state->lcr;
	case REG_MCR:
		return state->mcr;
	case REG_LSR:
		return (uint8_t)(LSR_EMPTY | (state->data_ready ? LSR_READY : 0));
	case REG_MSR:
		return read_msr(state);
	case REG_SCR:
		return state->scr;
	default:
		break;
	}
	update_line(serial);
	return value;
}
