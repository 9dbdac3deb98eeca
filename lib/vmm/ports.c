// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Which device a port belongs to. Ports that nobody has read as all ones, as on a bus
 * with nothing on it, and take what is written. The devices are eight bits wide: a wider access
 * is one to each of as many ports in a row, as an ISA bus does it.
 */
#include <string.h>

#include "vmm/vm.h"

struct port_range {
	uint32_t first, count;
	size_t device; /* its offset in struct avd__vm */
	/* `count` bytes, one after another, to the register `reg` of the device. */
	void (*write)(void *device, uint32_t reg, const uint8_t *bytes, size_t count);
	uint8_t (*read)(void *device, uint32_t reg);
};

#define DEVICE(member) offsetof(struct avd__vm, member)

static const struct port_range ranges[] = {
	{AVD__SERIAL_COM1, AVD__SERIAL_PORTS, DEVICE(console), avd__serial_write, avd__serial_read},
	{AVD__SERIAL_COM2, AVD__SERIAL_PORTS, DEVICE(channel), avd__serial_write, avd__serial_read},
	{AVD__I8042_PORT, 1, DEVICE(i8042), avd__i8042_write, avd__i8042_read},
	{AVD__RTC_PORT, AVD__RTC_PORTS, DEVICE(rtc), avd__rtc_write, avd__rtc_read},
	{AVD__ACPI_SLEEP_PORT, AVD__POWER_PORTS, DEVICE(power), avd__power_write, avd__power_read},
	{AVD__WINDOW_DOORBELL_PORT, 1, DEVICE(doorbell), avd__doorbell_write, avd__doorbell_read},
};

static const struct port_range *range_of(uint32_t port)
{
	for (size_t i = 0; i < AVD__ARRAY_SIZE(ranges); i++) {
		if (port - ranges[i].first < ranges[i].count)
			return &ranges[i];
	}
	return NULL;
}

static void write_port(struct avd__vm *vm, uint32_t port, const uint8_t *bytes, size_t count)
{
	const struct port_range *range = range_of(port);
	if (range)
		range->write((uint8_t *)vm + range->device, port - range->first, bytes, count);
}

void avd__vm_port_write(struct avd__vm *vm, uint16_t port, uint32_t width, const uint8_t *data,
			uint32_t count)
{
	avd__lock(&vm->device_lock);
	if (width == 1) /* a string at once: this is how the channel's bytes come */
		write_port(vm, port, data, count);
	else
		for (uint32_t i = 0; i < width * count; i++)
			write_port(vm, port + i % width, data + i, 1);
	avd__unlock(&vm->device_lock);
}

void avd__vm_port_read(struct avd__vm *vm, uint16_t port, uint32_t width, uint8_t *data,
		       uint32_t count)
{
	avd__lock(&vm->device_lock);
	for (uint32_t i = 0; i < width * count; i++) {
		const uint32_t at = port + i % width;
		const struct port_range *range = range_of(at);
		data[i] = range ? range->read((uint8_t *)vm + range->device, at - range->first)
				: 0xff;
	}
	avd__unlock(&vm->device_lock);
}
