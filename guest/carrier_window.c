// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The window (codec/window.h): memory that the host sees at once. No driver takes part: the KVM
 * machine has it at an address that the kernel knows as reserved, the QEMU machine as
 * the second region of an ivshmem device.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "carrier.h"
#include "clock.h"
#include "codec/window.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
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

static bool has_id(const char *device, const char *file, unsigned long id)
{
	char path[512], text[16] = "";
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, file);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && strtoul(text, NULL, 16) == id;
}

static bool write_one(const char *device, const char *file)
{
	char path[512];
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, file);
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const bool done = write(fd, "1", 1) == 1;
	close(fd);
	return done;
}

/* The line of `resource` for a region holds its first and its last address. */
static off_t region_address(const char *device, int region)
{
	char path[512], text[1024] = "";
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource", device);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	const char *line = n > 0 ? text : NULL;
	for (; line && region; region--) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? (off_t)strtoull(line, NULL, 16) : 0;
}

/* Through /dev/mem, not through the device's own file: afterwards the kernel is made to forget
 * the device, so that no scheduler finds a file of the window in sysfs. */
static uint8_t *map_pci(void)
{
	uint8_t *found = NULL;
	DIR *devices = opendir(PCI_DEVICES);
	if (!devices)
		return NULL;
	for (struct dirent *entry; !found && (entry = readdir(devices));) {
		const char *device = entry->d_name;
		if (!has_id(device, "vendor", AVD__WINDOW_PCI_VENDOR) ||
		    !has_id(device, "device", AVD__WINDOW_PCI_DEVICE))
			continue;
		/* Firmware has turned its memory on; a machine without firmware may not have. */
		write_one(device, "enable");
		const off_t address = region_address(device, AVD__WINDOW_PCI_REGION);
		found = address ? map(address) : NULL;
		if (found)
			write_one(device, "remove");
	}
	closedir(devices);
	return found;
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
