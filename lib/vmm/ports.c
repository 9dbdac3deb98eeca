// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Which device a port belongs to. Ports that nobody has read as all ones, as on a bus
 * with nothing on it, and take what is written.
 */
#include <string.h>

#include "vmm/acpi.h"
#include "vmm/vm.h"

#define I8042_COMMAND 0x64u
#define I8042_PULSE_RESET 0xfeu
#define RTC_INDEX 0x70u
#define RTC_DATA 0x71u

static struct avd__serial *serial_at(struct avd__vm *vm, uint16_t port, uint32_t *ret_reg)
{
	if (port >= AVD__SERIAL_COM1 && port < AVD__SERIAL_COM1 + AVD__SERIAL_PORTS) {
		*ret_reg = port - AVD__SERIAL_COM1;
		return &vm->console;
	}
	if (port >= AVD__SERIAL_COM2 && port < AVD__SERIAL_COM2 + AVD__SERIAL_PORTS) {
		*ret_reg = port - AVD__SERIAL_COM2;
		return &vm->channel;
	}
	return NULL;
}

void avd__vm_port_write(struct avd__vm *vm, uint16_t port, uint32_t width, const uint8_t *data,
			uint32_t count)
{
	uint32_t reg;
	struct avd__serial *serial = serial_at(vm, port, &reg);
	const uint8_t last = data[(size_t)width * (count - 1)];
	pthread_mutex_lock(&vm->device_lock);
	if (serial && width == 1)
		avd__serial_write(serial, reg, data, count);
	pthread_mutex_unlock(&vm->device_lock);
	if (port == I8042_COMMAND && last == I8042_PULSE_RESET)
		avd__vm_stop(vm, AVD_END_GUEST_RESET, "");
	else if (port == AVD__ACPI_SLEEP_PORT && last == AVD__ACPI_SLEEP_S5)
		avd__vm_stop(vm, AVD_END_GUEST_SHUTDOWN, "");
}

void avd__vm_port_read(struct avd__vm *vm, uint16_t port, uint32_t width, uint8_t *data,
		       uint32_t count)
{
	uint32_t reg;
	struct avd__serial *serial = serial_at(vm, port, &reg);
	memset(data, 0xff, (size_t)width * count);
	if (serial && width == 1) {
		pthread_mutex_lock(&vm->device_lock);
		for (uint32_t i = 0; i < count; i++)
			data[i] = avd__serial_read(serial, reg);
		pthread_mutex_unlock(&vm->device_lock);
	} else if (port == I8042_COMMAND || port == RTC_INDEX || port == RTC_DATA ||
		   port == AVD__ACPI_SLEEP_STATUS_PORT) {
		/* No keyboard data waits; the clock is not being updated; not waking up. */
		memset(data, 0, (size_t)width * count);
	}
}
