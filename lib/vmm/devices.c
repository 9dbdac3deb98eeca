// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Wires the devices of a machine: what they say goes to its boxes, its interrupt chip, its end.
 * Each of these is called by a vCPU's thread, under device_lock.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "vmm/vm.h"

/* COM1's line, as stock kernels and our ACPI tables have it. */
#define CONSOLE_IRQ 4u
#define CONSOLE_PIN (CONSOLE_IRQ - AVD__IOAPIC_FIRST)
_Static_assert(CONSOLE_PIN < AVD__IOAPIC_PINS, "the console has a pin");
/* The first two slots are RAM. */
#define WINDOW_SLOT 2u

static void console_out(void *userdata, const uint8_t *bytes, size_t size)
{
	struct avd__vm *vm = userdata;
	avd__outbox_put(&vm->console_box, bytes, size);
}

static void channel_out(void *userdata, const uint8_t *bytes, size_t size)
{
	struct avd__vm *vm = userdata;
	avd__outbox_put(&vm->channel_box, bytes, size);
}

static void console_interrupt(void *userdata, bool level)
{
	struct avd__vm *vm = userdata;
	avd__ioapic_line(&vm->ioapic, CONSOLE_PIN, level);
}

static void interrupt(void *userdata, uint64_t address, uint32_t data)
{
	struct avd__vm *vm = userdata;
	struct kvm_msi message = {.address_lo = (uint32_t)address,
				  .address_hi = (uint32_t)(address >> 32),
				  .data = data};
	if (vm->irqchip)
		vm->sys->ioctl(vm->sys->userdata, vm->vm_fd, KVM_SIGNAL_MSI, &message);
}

static void guest_reset(void *userdata)
{
	avd__vm_stop(userdata, AVD_END_GUEST_RESET, "");
}

static void guest_power_off(void *userdata)
{
	avd__vm_stop(userdata, AVD_END_GUEST_SHUTDOWN, "");
}

static void guest_rings(void *userdata)
{
	struct avd__vm *vm = userdata;
	eventfd_write(vm->event_fd, 1);
}

int avd__vm_make_devices(struct avd__vm *vm, struct avd__error *error)
{
	vm->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->event_fd < 0)
		return avd__fail(error, errno, "cannot make an eventfd: %s", strerror(errno));
	if (avd__outbox_init(&vm->console_box, vm->event_fd) < 0 ||
	    avd__outbox_init(&vm->channel_box, vm->event_fd) < 0)
		return avd__fail(error, ENOMEM, "out of memory");
	vm->console = (struct avd__serial){
		.userdata = vm, .transmit = console_out, .interrupt = console_interrupt};
	vm->channel = (struct avd__serial){.userdata = vm, .transmit = channel_out};
	vm->i8042 = (struct avd__i8042){.userdata = vm, .reset = guest_reset};
	vm->power = (struct avd__power){.userdata = vm, .off = guest_power_off};
	vm->ioapic = (struct avd__ioapic){.userdata = vm, .deliver = interrupt};
	avd__ioapic_reset(&vm->ioapic);
	vm->doorbell = (struct avd__doorbell){.userdata = vm, .ring = guest_rings};
	return 0;
}

void avd__vm_free_devices(struct avd__vm *vm)
{
	avd__vmm_window_unmap(&vm->window, vm->sys);
	avd__outbox_fini(&vm->console_box);
	avd__outbox_fini(&vm->channel_box);
	avd__close(&vm->event_fd);
}

int avd__vm_add_window(struct avd__vm *vm, struct avd__error *error)
{
	return avd__vmm_window_map(&vm->window, vm->sys, vm->vm_fd, WINDOW_SLOT, vm->event_fd,
				   error);
}
