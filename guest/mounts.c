// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "mounts.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct mount_point {
	const char *type, *path;
	unsigned long flags;
	const char *options;
	bool needed;
};

#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct mount_point points[] = {
	{"proc", "/proc", SAFE, NULL, true},
	{"sysfs", "/sys", SAFE, NULL, true},
	{"devtmpfs", "/dev", MS_NOSUID, "mode=0755", true},
	{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666", false},
	{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777", false},
	{"cgroup2", AVD__CGROUP_ROOT, SAFE, NULL, false},
	{"bpf", "/sys/fs/bpf", SAFE, "mode=0700", false},
	{"tracefs", "/sys/kernel/tracing", SAFE, NULL, false},
	{"debugfs", "/sys/kernel/debug", SAFE, NULL, false},
};

int avd__mounts_make(struct avd__text *notes, struct avd__text *why)
{
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		const struct mount_point *point = &points[i];

		mkdir(point->path, 0755);
		/* EBUSY: a kernel that mounts it by itself. */
		if (!mount(point->type, point->path, point->type, point->flags, point->options) ||
		    errno == EBUSY)
			continue;
		if (point->needed) {
			avd__text_add(why, "mounting %s on %s: %s", point->type, point->path,
				      strerror(errno));
			return -1;
		}
		avd__text_add(notes, "%smounting %s on %s: %s", notes->len ? "; " : "", point->type,
			      point->path, strerror(errno));
	}
	static const struct {
		const char *target, *link;
	} links[] = {{"/proc/self/fd", "/dev/fd"},
		     {"/proc/self/fd/0", "/dev/stdin"},
		     {"/proc/self/fd/1", "/dev/stdout"},
		     {"/proc/self/fd/2", "/dev/stderr"}};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].target, links[i].link) < 0 && errno != EEXIST)
			avd__text_add(notes, "%s: %s", links[i].link, strerror(errno));
	/* The root is a memory file system already. A mount on /tmp or /run would hide a
	 * scheduler that lies there: it has the path that it has on the host. */
	mkdir("/tmp", 01777);
	chmod("/tmp", 01777);
	mkdir("/run", 0755);
	mkdir("/root", 0700);
	return 0;
}

void avd__loopback_up(void)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0)
		return;
	strcpy(request.ifr_name, "lo");
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

const char *const avd__environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"TERM=dumb",
	"LANG=C.UTF-8",
	NULL,
};
