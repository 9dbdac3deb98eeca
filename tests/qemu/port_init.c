// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* An init for the tests of the ports, static: says which serial ports the kernel knows, writes
 * counted bytes to the channel's ("bytes=" of them), then does what "act=" on the kernel's command
 * line says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port_init.h"

#define CHANNEL 0x2f8
#define LSR (CHANNEL + 5)
#define LSR_THRE 0x20

int main(void)
{
	char line[4096] = "";
	int fd;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    ioperm(CHANNEL, 8, 1))
		return 1;
	for (int i = 0; i < 4; i++) {
		char path[64], port[32] = "";
		snprintf(path, sizeof(path), "/sys/class/tty/ttyS%d/port", i);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, port, sizeof(port) - 1) > 0)
			printf("ttyS%d %s", i, port);
		close(fd);
	}
	fflush(stdout);
	fd = open("/proc/cmdline", O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return 2;
	const char *fewer = strstr(line, "bytes=");
	const unsigned long count = fewer ? strtoul(fewer + 6, NULL, 10) : PORT_INIT_BYTES;
	for (unsigned long i = 0; i < count; i++) {
		while (!(inb(LSR) & LSR_THRE))
			;
		outb((unsigned char)(i % 251), CHANNEL);
	}
	if (strstr(line, "act=panic")) {
		fd = open("/proc/sysrq-trigger", O_WRONLY);
		return write(fd, "c", 1) == 1 ? 3 : 4;
	}
	reboot(strstr(line, "act=off") ? RB_POWER_OFF : RB_AUTOBOOT);
	return 5;
}
