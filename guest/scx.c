// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The files are opened once, before the scheduler starts: it could mount others over them.
 * Reading a sysfs file at offset 0 asks the kernel anew each time. root/ops comes and goes
 * with each scheduler; it is looked up below the kept directory without crossing a mount.
 * And no path is walked while a scheduler runs steadily, so no lock of the file system that
 * a stalled task may be holding is taken.
 */
#include "scx.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCX_DIR "/sys/kernel/sched_ext"

int avd__scx_open(struct avd__scx *scx)
{
	scx->ops = -1;
	scx->dir = open(SCX_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scx->dir < 0)
		return -1;
	scx->state = openat(scx->dir, "state", O_RDONLY | O_CLOEXEC);
	scx->enable_seq = openat(scx->dir, "enable_seq", O_RDONLY | O_CLOEXEC);
	scx->switch_all = openat(scx->dir, "switch_all", O_RDONLY | O_CLOEXEC);
	return scx->state < 0 || scx->enable_seq < 0 ? -1 : 0;
}

/* The first line of the file, without its end; empty if it can't be read. */
static ssize_t read_line(int fd, char *out, size_t size)
{
	const ssize_t n = pread(fd, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n;
}

static uint64_t read_number(int fd)
{
	char text[32];
	uint64_t number = 0;

	read_line(fd, text, sizeof(text));
	for (const char *c = text; *c >= '0' && *c <= '9'; c++)
		number = number * 10 + (uint64_t)(*c - '0');
	return number;
}

static void read_ops(struct avd__scx *scx, struct avd__scx_reading *reading)
{
	static const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};

	for (int attempt = 0; attempt < 2; attempt++) {
		if (scx->ops < 0)
			scx->ops =
				(int)syscall(SYS_openat2, scx->dir, "root/ops", &how, sizeof(how));
		if (scx->ops < 0)
			return;
		if (read_line(scx->ops, reading->ops, sizeof(reading->ops)) >= 0) {
			reading->ops_there = true;
			return;
		}
		/* ENODEV: the scheduler of this file is gone; there may be another one. */
		close(scx->ops);
		scx->ops = -1;
	}
}

void avd__scx_read(struct avd__scx *scx, struct avd__scx_reading *ret_reading)
{
	char text[32];

	memset(ret_reading, 0, sizeof(*ret_reading));
	read_ops(scx, ret_reading);
	ret_reading->enable_seq = read_number(scx->enable_seq);
	ret_reading->switch_all = scx->switch_all < 0 ? 0 : (uint32_t)read_number(scx->switch_all);
	/* The state last: what came before it can only be older. */
	read_line(scx->state, text, sizeof(text));
	ret_reading->state = avd__scx_state_of(text);
}
