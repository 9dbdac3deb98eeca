// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The window (codec/window.h): memory that the host sees at once. No driver takes part: the KVM
 * machine has it at an address that the kernel knows as reserved, the QEMU machine as
 * the second region of an ivshmem device, which the kernel does not know of.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "carrier.h"
#include "clock.h"
#include "codec/window.h"

/* PCI configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2) on bus 0. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_PORTS 8
#define PCI_ENABLE UINT32_C(0x80000000)
/* The same, 6.1 and 6.2.5: the header's registers. */
#define PCI_ID 0x00u
#define PCI_COMMAND 0x04u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_REGION(n) (0x10u + 4u * (n))
#define PCI_REGION_FLAGS 0xfu

#define UART_PORT 0x2f8
#define UART_LSR (UART_PORT + 5)
#define UART_PORTS 8
#define LSR_THRE 0x20

/* As for the serial carrier: a host that takes nothing for this long is gone. Guest time. */
#define STALL_LIMIT (30 * AVD__NS_PER_S)
#define PAUSE (50 * AVD__NS_PER_US)

static uint8_t *memory;
static bool doorbell_is_uart;

static uint8_t *map(off_t address)
{
	const int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	void *mapped =
		mmap(NULL, AVD__WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, address);
	const int err = errno;
	close(fd);
	errno = err;
	return mapped == MAP_FAILED ? NULL : mapped;
}

static void config_select(uint32_t offset)
{
	outl(PCI_ENABLE | AVD__WINDOW_PCI_SLOT << 11 | AVD__WINDOW_PCI_FUNCTION << 8 | offset,
	     PCI_ADDRESS);
}

static uint32_t config_read(uint32_t offset)
{
	config_select(offset);
	return inl(PCI_DATA);
}

static void config_write(uint32_t offset, uint32_t value)
{
	config_select(offset);
	outl(value, PCI_DATA);
}

/* Gives the region its address, which nobody has done before. */
static bool place_region(void)
{
	const uint32_t region = PCI_REGION(AVD__WINDOW_PCI_REGION);
	if (config_read(PCI_ID) !=
	    ((uint32_t)AVD__WINDOW_PCI_DEVICE << 16 | AVD__WINDOW_PCI_VENDOR))
		return false;
	config_write(region, AVD__WINDOW_PCI_ADDRESS);
	config_write(region + 4, 0); /* the upper half: it takes 64 bits */
	config_write(PCI_COMMAND, PCI_COMMAND_MEMORY);
	return (config_read(region) & ~PCI_REGION_FLAGS) == AVD__WINDOW_PCI_ADDRESS;
}

static uint8_t *map_pci(void)
{
	if (ioperm(PCI_ADDRESS, PCI_PORTS, 1) < 0)
		return NULL;
	const bool placed = place_region();
	ioperm(PCI_ADDRESS, PCI_PORTS, 0);
	return placed ? map(AVD__WINDOW_PCI_ADDRESS) : NULL;
}

static int window_open(struct avd__carrier *carrier, struct avd__text *why)
{
	carrier->fd = -1;
	memory = map_pci();
	doorbell_is_uart = memory != NULL;
	if (!memory)
		memory = map(AVD__WINDOW_ADDRESS);
	if (!memory) {
		avd__text_add(why, "no window: /dev/mem: %s", strerror(errno));
		return -1;
	}
	/* Children must not have it, not even until they execute. */
	madvise(memory, AVD__WINDOW_SIZE, MADV_DONTFORK);
	if (!avd__window_check(memory)) {
		munmap(memory, AVD__WINDOW_SIZE);
		avd__text_add(why, "no window: what is there is none");
		return -1;
	}
	const int r = doorbell_is_uart ? ioperm(UART_PORT, UART_PORTS, 1)
				       : ioperm(AVD__WINDOW_DOORBELL_PORT, 1, 1);
	if (r < 0) {
		const int err = errno;
		munmap(memory, AVD__WINDOW_SIZE);
		avd__text_add(why, "no window: its doorbell: ioperm: %s", strerror(err));
		return -1;
	}
	return 0;
}

static void ring(void)
{
	if (!doorbell_is_uart)
		outb(0, AVD__WINDOW_DOORBELL_PORT);
	else if (inb(UART_LSR) & LSR_THRE) /* else one is on its way already */
		outb(AVD__WINDOW_DOORBELL_BYTE, UART_PORT);
}

static int window_write(struct avd__carrier *carrier, const uint8_t *bytes, size_t size)
{
	uint64_t since = 0;
	(void)carrier;
	for (;;) {
		const size_t n = avd__window_put(memory, bytes, size);
		bytes += n;
		size -= n;
		ring();
		if (!size)
			return 0;
		const uint64_t now = avd__guest_now();
		if (n || !since)
			since = now;
		if (now - since > STALL_LIMIT)
			return -1;
		avd__guest_sleep(PAUSE);
	}
}

const struct avd__carrier_ops avd__carrier_window = {
	.name = "window",
	.open = window_open,
	.write = window_write,
};
