// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int system_open(void *userdata, const char *path)
{
	(void)userdata;
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int system_ioctl(void *userdata, int fd, unsigned long request, void *argument)
{
	(void)userdata;
	const int r = ioctl(fd, request, argument);
	return r < 0 ? -errno : r;
}

static int system_map(void *userdata, int fd, size_t size, void **ret_memory)
{
	(void)userdata;
	/* MAP_NORESERVE: guests rarely touch all of what they were promised. */
	const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	return 0;
}

static void system_unmap(void *userdata, void *memory, size_t size)
{
	(void)userdata;
	munmap(memory, size);
}

const struct avd__kvm_sys avd__kvm_system = {
	.open = system_open, .ioctl = system_ioctl, .map = system_map, .unmap = system_unmap};

int avd__kvm_ioctl(const struct avd__kvm_sys *sys, int fd, unsigned long request, const char *name,
		   void *argument, struct avd__error *error)
{
	const int r = sys->ioctl(sys->userdata, fd, request, argument);
	if (r < 0)
		return avd__fail(error, -r, "KVM refuses %s: %s", name, strerror(-r));
	return r;
}
