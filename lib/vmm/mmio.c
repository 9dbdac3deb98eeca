// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Which device an address outside of the RAM belongs to. Elsewhere is nothing: all ones. */
#include <string.h>

#include "vmm/vm.h"

static bool is_ioapic(uint64_t address, uint32_t width)
{
	return width == sizeof(uint32_t) && address - AVD__IOAPIC_BASE < AVD__IOAPIC_BYTES;
}

void avd__vm_mmio_write(struct avd__vm *vm, uint64_t address, uint32_t width, const uint8_t *data)
{
	uint32_t value;
	if (!is_ioapic(address, width))
		return;
	memcpy(&value, data, sizeof(value));
	avd__lock(&vm->device_lock);
	avd__ioapic_write(&vm->ioapic, (uint32_t)(address - AVD__IOAPIC_BASE), value);
	avd__unlock(&vm->device_lock);
}

void avd__vm_mmio_read(struct avd__vm *vm, uint64_t address, uint32_t width, uint8_t *data)
{
	memset(data, 0xff, width);
	if (!is_ioapic(address, width))
		return;
	avd__lock(&vm->device_lock);
	const uint32_t value =
		avd__ioapic_read(&vm->ioapic, (uint32_t)(address - AVD__IOAPIC_BASE));
	avd__unlock(&vm->device_lock);
	memcpy(data, &value, sizeof(value));
}
