// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A 16550 UART at 0x2f8 ("COM2"), polled. The kernel is told of one UART only
 * (8250.nr_uarts=1), so that there is no /dev/ttyS1 which a scheduler could write to; the
 * ports belong to this process alone: each child gives its copy of the permission back
 * (spawn.c), and loses CAP_SYS_RAWIO that could renew it.
 *
 * Registers: National Semiconductor PC16550D, section 8.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/io.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "carrier.h"
#include "clock.h"

#define UART_PORT 0x2f8
#define UART_PORTS 8

#define REG_THR 0 /* transmit holding; the divisor's low byte while DLAB is set */
#define REG_IER 1 /* interrupt enable; the divisor's high byte while DLAB is set */
#define REG_FCR 2 /* FIFO control */
#define REG_LCR 3 /* line control */
#define REG_MCR 4 /* modem control */
#define REG_LSR 5 /* line status */
#define REG_SCR 7 /* scratch */

#define FCR_ENABLE_AND_CLEAR 0x07
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS 0x03
#define LSR_THRE 0x20 /* the FIFO is empty: it takes UART_FIFO bytes */

#define UART_FIFO 16u

/* The emulated UART hands a byte on within microseconds. A host that is alive but slow may
 * pause longer; one that takes nothing for this long is gone, and waiting on would make the
 * guest hang. Guest time. */
#define STALL_LIMIT (30 * AVD__NS_PER_S)
/* Status reads before the processor is given away for a moment. */
#define SPINS 2000u
#define PAUSE (100 * AVD__NS_PER_US)

static bool reg_read(const struct avd__carrier *carrier, uint16_t reg, uint8_t *ret_value)
{
	if (carrier->fd >= 0)
		return pread(carrier->fd, ret_value, 1, UART_PORT + reg) == 1;
	*ret_value = inb((uint16_t)(UART_PORT + reg));
	return true;
}

static bool reg_write(const struct avd__carrier *carrier, uint16_t reg, uint8_t value)
{
	if (carrier->fd >= 0)
		return pwrite(carrier->fd, &value, 1, UART_PORT + reg) == 1;
	outb(value, (uint16_t)(UART_PORT + reg));
	return true;
}

/* A register that keeps what is written to it tells a UART from an empty bus. */
static bool uart_is_there(const struct avd__carrier *carrier)
{
	static const uint8_t patterns[] = {0x5a, 0xa5};

	for (size_t i = 0; i < sizeof(patterns); i++) {
		uint8_t value = 0;
		if (!reg_write(carrier, REG_SCR, patterns[i]) ||
		    !reg_read(carrier, REG_SCR, &value) || value != patterns[i])
			return false;
	}
	return true;
}

/* Nothing is mounted yet: a device node of our own, gone again at once. */
static int open_dev_port(void)
{
	static const char path[] = "/.attachverdict-port";
	const int r = mknod(path, S_IFCHR | 0600, makedev(1, 4));
	const int fd = r < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);

	unlink(path);
	return fd;
}

static int serial_open(struct avd__carrier *carrier, struct avd__text *why)
{
	carrier->fd = -1;
	if (ioperm(UART_PORT, UART_PORTS, 1) < 0) {
		const int err = errno;
		carrier->fd = open_dev_port();
		if (carrier->fd < 0) {
			avd__text_add(why, "no access to I/O ports: ioperm: %s, /dev/port: %s",
				      strerror(err), strerror(errno));
			return -1;
		}
	}
	if (!uart_is_there(carrier)) {
		avd__text_add(why, "no UART at port 0x%x: the machine needs a second serial port",
			      UART_PORT);
		return -1;
	}
	/* 115200 baud: without meaning for an emulated UART, but a sane state. */
	reg_write(carrier, REG_LCR, LCR_8N1 | LCR_DLAB);
	reg_write(carrier, REG_THR, 1);
	reg_write(carrier, REG_IER, 0);
	reg_write(carrier, REG_LCR, LCR_8N1);
	reg_write(carrier, REG_IER, 0); /* polled: no interrupts */
	reg_write(carrier, REG_FCR, FCR_ENABLE_AND_CLEAR);
	reg_write(carrier, REG_MCR, MCR_DTR_RTS);
	return 0;
}

static bool wait_until_empty(const struct avd__carrier *carrier)
{
	uint64_t since = 0;

	for (uint32_t spins = 0;; spins++) {
		uint8_t status;
		if (!reg_read(carrier, REG_LSR, &status))
			return false;
		if (status & LSR_THRE)
			return true;
		if (spins < SPINS)
			continue;
		const uint64_t now = avd__guest_now();
		if (!since)
			since = now;
		if (now - since > STALL_LIMIT)
			return false;
		avd__guest_sleep(PAUSE);
	}
}

static int serial_write(struct avd__carrier *carrier, const uint8_t *bytes, size_t size)
{
	while (size) {
		if (!wait_until_empty(carrier))
			return -1;
		const size_t n = size < UART_FIFO ? size : UART_FIFO;
		if (carrier->fd < 0) {
			outsb(UART_PORT + REG_THR, bytes, n);
		} else {
			for (size_t i = 0; i < n; i++)
				if (!reg_write(carrier, REG_THR, bytes[i]))
					return -1;
		}
		bytes += n;
		size -= n;
	}
	return 0;
}

const struct avd__carrier_ops avd__carrier_serial = {
	.name = "serial",
	.open = serial_open,
	.write = serial_write,
};
