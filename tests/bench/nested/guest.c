// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * PID 1 of the machines that are measured. Says BENCH_MARK on the first UART, then does what the
 * kernel argument avd_bench=WHAT says: "window" or "serial" sends AVD_BENCH_BYTES
 * (avd_bench_bytes=N) through that carrier in frames of 64 KiB with the code of the guest's init;
 * anything else waits to be killed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench.h"
#include "carrier.h"

#define COM1 0x3f8

static sigjmp_buf refused;

static void on_segv(int signal)
{
	siglongjmp(refused, signal);
}

/* Through the port itself: the least that any machine can take for it. In QEMU's q35 on an emulated
 * SVM that is a #GP, ioperm() or not; there the kernel prints it. */
static void mark(void)
{
	static const char path[] = "/kmsg", line[] = {'<', '0', '>', BENCH_MARK, '\n'};
	signal(SIGSEGV, on_segv);
	if (sigsetjmp(refused, 1) == 0 && ioperm(COM1, 8, 1) == 0) {
		outb(BENCH_MARK, COM1);
		return;
	}
	mknod(path, S_IFCHR | 0600, makedev(1, 11));
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, line, sizeof(line)) > 0)
		close(fd);
}

static int carry(const struct avd__carrier_ops *ops, size_t size)
{
	static uint8_t frame[BENCH_FRAME];
	struct avd__carrier carrier = {.ops = ops, .fd = -1};
	struct avd__text why = {0};
	if (ops->open(&carrier, &why) < 0)
		return -1;
	memset(frame, 0xa5, sizeof(frame));
	mark();
	for (size_t sent = 0; sent < size; sent += sizeof(frame)) {
		if (ops->write(&carrier, frame, sizeof(frame)) < 0)
			return -1;
	}
	return 0;
}

int main(void)
{
	/* The kernel hands arguments that it does not know to init as its environment. */
	const char *what = getenv("avd_bench");
	const char *size = getenv("avd_bench_bytes");
	const bool window = what && !strcmp(what, "window");
	if (!what || (!window && strcmp(what, "serial") != 0)) {
		mark();
	} else {
		mkdir("/dev", 0755);
		mkdir("/sys", 0755);
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		if (carry(window ? &avd__carrier_window : &avd__carrier_serial,
			  size ? strtoul(size, NULL, 10) : BENCH_FRAME) < 0)
			mark(); /* too early: what was sent is too little */
	}
	for (;;)
		pause();
}
