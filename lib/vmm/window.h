/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The window of the KVM machine: memory of its own slot, apart from the guest's RAM, and the
 * port of its doorbell. The ring in it is codec/window's, whose struct is all of the state that
 * the host has; the rest is in the memory.
 */
#ifndef AVD_LIB_VMM_WINDOW_H
#define AVD_LIB_VMM_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "codec/window.h"
#include "vmm/kvm.h"

/* KVM answers writes of one byte by itself, without an exit; any other access ends here. It has
 * no state: a ring is an event, and the window tells what is new. */
struct avd__doorbell {
	void *userdata;
	void (*ring)(void *userdata);
};

void avd__doorbell_write(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
uint8_t avd__doorbell_read(void *device, uint32_t reg);

/* Maps the memory, gives it to the guest as memory slot `slot`, and ties the doorbell to
 * event_fd. On failure the memory may be mapped: avd__vmm_window_unmap(). */
int avd__vmm_window_map(struct avd__window *window, const struct avd__kvm_sys *sys, int vm_fd,
			uint32_t slot, int event_fd, struct avd__error *error);
void avd__vmm_window_unmap(struct avd__window *window, const struct avd__kvm_sys *sys);

#endif
