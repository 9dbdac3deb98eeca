// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/window.h"

#include <string.h>
#include <sys/mman.h>

void avd__doorbell_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count)
{
	struct avd__doorbell *doorbell = device;
	(void)reg;
	(void)bytes;
	(void)count; /* however often: it says that there is something, not how much */
	doorbell->ring(doorbell->userdata);
}

uint8_t avd__doorbell_read(void *device, uint32_t reg)
{
	(void)device;
	(void)reg;
	return 0xff;
}

int avd__vmm_window_map(struct avd__window *window, const struct avd__kvm_sys *sys, int vm_fd,
			uint32_t slot, int event_fd, struct avd__error *error)
{
	void *memory;
	int r = sys->map(sys->userdata, -1, AVD__WINDOW_SIZE, &memory);
	if (r < 0)
		return avd__fail(error, -r, "cannot map the window: %s", strerror(-r));
	/* A quiet cell touches three pages of it: not 2 MiB for each. Only a wish. */
	madvise(memory, AVD__WINDOW_SIZE, MADV_NOHUGEPAGE);
	avd__window_format(window, memory);
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = AVD__WINDOW_ADDRESS,
		.memory_size = AVD__WINDOW_SIZE,
		.userspace_addr = (uintptr_t)memory,
	};
	struct kvm_ioeventfd doorbell = {
		.addr = AVD__WINDOW_DOORBELL_PORT,
		.len = 1,
		.fd = event_fd,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};
	r = AVD__KVM_IOCTL(sys, vm_fd, KVM_SET_USER_MEMORY_REGION, &region, error);
	if (r >= 0)
		r = AVD__KVM_IOCTL(sys, vm_fd, KVM_IOEVENTFD, &doorbell, error);
	return r < 0 ? r : 0;
}

void avd__vmm_window_unmap(struct avd__window *window, const struct avd__kvm_sys *sys)
{
	if (window->memory)
		sys->unmap(sys->userdata, window->memory, AVD__WINDOW_SIZE);
	window->memory = NULL;
}
